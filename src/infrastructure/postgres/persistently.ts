import { setTimeout as delay } from 'node:timers/promises'
import { isConnectionError, isSerializationError } from './errors.ts'

const WAITS_MS = [0, 20, 100, 300, 700, 1500]

/**
 * Runs an idempotent piece of work again when its connection broke or the server undid it, a few times within about
 * three seconds; then the last error comes through.
 */
export const persistently = async <A>(work: () => Promise<A>): Promise<A> => {
  for (const wait of WAITS_MS) {
    try {
      return await work()
    } catch (error) {
      if (!isConnectionError(error) && !isSerializationError(error)) throw error
      await delay(wait)
    }
  }
  return work()
}
