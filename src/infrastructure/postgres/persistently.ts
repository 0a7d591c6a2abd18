import { setTimeout as delay } from 'node:timers/promises'
import { isConnectionError, isSerializationError, markDoubtful } from './errors.ts'

const WAITS_MS = [0, 20, 100, 300, 700, 1500]

/**
 * Runs an idempotent piece of work again when its connection broke or the server undid it: once at least, and a few times
 * while less than `withinMs` has passed; then the last error comes through. A server that does not answer at all costs
 * each try its whole timeout, and whoever waits should be told.
 */
export const persistently = async <A>(work: () => Promise<A>, withinMs = 3_000): Promise<A> => {
  const began = performance.now()
  /** Whether a try may have been committed without our knowing. */
  let isOpen = false
  for (const [tries, wait] of WAITS_MS.entries()) {
    try {
      return await work()
    } catch (error) {
      if (isOpen) markDoubtful(error)
      if (!isConnectionError(error) && !isSerializationError(error)) throw error
      if (tries > 0 && performance.now() - began >= withinMs) throw error
      isOpen ||= isConnectionError(error)
      await delay(wait)
    }
  }
  return work().catch(error => {
    if (isOpen) markDoubtful(error)
    throw error
  })
}
