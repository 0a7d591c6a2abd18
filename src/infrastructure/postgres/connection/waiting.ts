import type { ClientBase, Pool, PoolClient } from 'pg'
import { giveUpStatement, lastStatement } from '../network/give-up.ts'
import { answeredWithin, NoAnswerError } from '../network/time-limit.ts'
import type { RunQuery } from './home.ts'

/** Outside any transaction; a client that does not know may be in one. */
export const isIdle = (client: ClientBase): boolean => client.getTransactionStatus?.() === 'I'

export const limited =
  (client: ClientBase, timeoutMs: number, onLate: (client: ClientBase) => void): RunQuery =>
  config => {
    const answer = client.query(config)
    const statement = lastStatement(client)
    return answeredWithin(timeoutMs, answer, () => {
      giveUpStatement(client, statement)
      onLate(client)
      return new NoAnswerError(timeoutMs)
    })
  }

const unheard = (): void => {}

/**
 * What a server sends may end a connection together with its beginning: the pool listens no more by then, and whoever asked
 * for the connection does not listen yet.
 */
const lentBy = (pool: Pool): Promise<PoolClient> =>
  new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) return reject(error)
      // one that nobody waits for any more may pass through many hands before this turn of the loop is over
      if (!client.listeners('error').includes(unheard)) {
        client.on('error', unheard)
        setImmediate(() => client.off('error', unheard))
      }
      resolve(client)
    })
  })

/** A connection that nobody waits for any more goes back at once when it comes. */
export const giveBack = (coming: Promise<PoolClient>): void => {
  coming.then(
    client => client.release(),
    () => {},
  )
}

/** A connection of the pool, or an error after the time limit; one that comes later goes back at once. */
export const connectIn = (pool: Pool, timeoutMs: number): Promise<PoolClient> => {
  const coming = lentBy(pool)
  const { connectionTimeoutMillis: own = 0 } = pool.options
  if (own > 0 && own <= timeoutMs) return coming
  return answeredWithin(timeoutMs, coming, () => {
    giveBack(coming)
    const isFull = pool.totalCount >= pool.options.max && pool.waitingCount > 0
    // as the pool says it itself, where it has a limit of its own
    return isFull ? new Error('timeout exceeded when trying to connect') : new NoAnswerError(timeoutMs)
  })
}

/** What `begin` gives, or the reason of the signal once nobody waits any more; `onEnd` stops what is under way. */
export const until = <A>(signal: AbortSignal, begin: () => Promise<A>, onEnd: (work: Promise<A>) => void): Promise<A> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const work = begin()
    const stop = (): void => {
      reject(signal.reason)
      onEnd(work)
    }
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
