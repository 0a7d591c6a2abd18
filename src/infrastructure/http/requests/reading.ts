import type { FastifyReply } from 'fastify'
import { UnavailableError } from '../../../application/shared/errors.ts'

/** Why a read was ended whose client has hung up; nobody hears it. */
export class HungUpError extends Error {
  override readonly name = 'HungUpError'
  constructor() {
    super('the client has closed its connection')
  }
}

const tooLong = (limitMs: number): UnavailableError =>
  new UnavailableError(
    `this read took longer than ${limitMs / 1000} s and was ended: narrow it with filters or a smaller limit, or try again when less is going on`,
  )

/**
 * What `work` reads for a request; its signal is aborted when the client hangs up and when `limitMs` have passed. Comes back
 * then at once, whatever `work` still waits for.
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
