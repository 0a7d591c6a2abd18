import { setTimeout as delay } from 'node:timers/promises'
import { isConnectionError, isInDoubt, isOutage, isSerializationError, markDoubtful } from '../connection/errors.ts'

const WAITS_MS = [0, 20, 100, 300, 700, 1500]

/**
 * Runs an idempotent piece of work again when its connection broke or the server undid it: once at least, and a few times
 * while less than `withinMs` has passed; then the last error comes through. A server that does not answer at all costs
 * each try its whole timeout, and whoever waits should be told. A try that broke may have been carried out: when a later
 * one fails as well, the error that broke it comes through.
 */
export const persistently = async <A>(work: () => Promise<A>, withinMs = 3_000): Promise<A> => {
  const began = performance.now()
  /** A try that may have been committed without our knowing. */
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
