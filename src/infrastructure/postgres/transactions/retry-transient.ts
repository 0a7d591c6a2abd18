import { setTimeout as delay } from 'node:timers/promises'
import { isConnectionError, isInDoubt, isOutage, isSerializationError, markDoubtful } from '../connection/errors.ts'

const WAITS_MS = [0, 20, 100, 300, 700, 1500]

/**
 * Runs idempotent work again when its connection broke or the server rolled it back: at least once, and a few times while
 * less than `withinMs` has passed. (On a server that does not answer, each attempt costs its whole timeout.) Then it
 * throws the last error. But if the connection of an earlier attempt broke, it throws that error, as the attempt may have
 * been committed.
 */
export const retryTransient = async <A>(work: () => Promise<A>, withinMs = 3_000): Promise<A> => {
  const began = performance.now()
  /** The error of an attempt that may have been committed. */
  let broken: unknown = null
  for (let tries = 0; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (isInDoubt(broken)) markDoubtful(error)
      if (isConnectionError(error)) broken = isInDoubt(broken) ? broken : error
      else if (!isSerializationError(error)) throw broken !== null && isOutage(error) ? broken : error
      const wait = WAITS_MS[tries]
      if (wait === undefined || (tries > 0 && performance.now() - began >= withinMs)) throw broken ?? error
      await delay(wait)
    }
  }
}
