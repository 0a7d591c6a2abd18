/** Nobody answered in time: the server hangs, or the connection to it leads nowhere. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
  constructor() {
    super('the server did not answer in time')
  }
}

export const READ_MS = 8_000
/** A rehearsal runs a handler for up to a minute. */
const WRITE_MS = 70_000

/** `fetch` that fails with `NoAnswerError` when no complete response came in time. */
export const timedFetch = (
  input: Parameters<typeof fetch>[0],
  init: RequestInit = {},
  ms = (init.method ?? 'GET') === 'GET' ? READ_MS : WRITE_MS,
): Promise<Response> => {
  const late = new AbortController()
  setTimeout(() => late.abort(new NoAnswerError()), ms)
  const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal
  return fetch(input, { ...init, signal })
}
