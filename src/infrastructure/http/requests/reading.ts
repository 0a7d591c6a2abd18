import type { FastifyReply } from 'fastify'
import { UnavailableError } from '../../../application/shared/errors.ts'

/** Ends a read whose client has closed its connection; nobody receives it. */
export class HungUpError extends Error {
  override readonly name = 'HungUpError'
  constructor() {
    super('the client has closed its connection')
  }
}

const tooLong = (limitMs: number): UnavailableError =>
  new UnavailableError(
    `this read took longer than ${limitMs / 1000} s and was ended: narrow it with filters or a smaller limit, or try again when the service is less busy`,
  )

/**
 * Runs `work`, whose signal is aborted when the client closes its connection and after `limitMs`. Returns at once then, even
 * if `work` still waits.
 *
 * @throws UnavailableError after `limitMs`, HungUpError
 */
export const readFor = async <A>(
  reply: FastifyReply,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<A>,
): Promise<A> => {
  const end = new AbortController()
  const late = setTimeout(() => end.abort(tooLong(limitMs)), limitMs)
  const onClose = (): void => end.abort(new HungUpError())
  reply.raw.once('close', onClose)
  if (reply.raw.destroyed) onClose()
  try {
    return await Promise.race([work(end.signal), aborted(end.signal)])
  } finally {
    clearTimeout(late)
    reply.raw.off('close', onClose)
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
