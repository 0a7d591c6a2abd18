import type { ClientBase, Pool, PoolClient } from 'pg'
import { giveUpStatement, lastStatement } from '../network/give-up.ts'
import { answeredWithin, NoAnswerError } from '../network/time-limit.ts'
import type { RunQuery } from './home.ts'

/** Whether the client is outside any transaction; false where the client does not know. */
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
 * A server may end a connection in the moment it begins. The pool no longer listens for errors then, and the caller does
 * not listen yet.
 */
const lentBy = (pool: Pool): Promise<PoolClient> =>
  new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) return reject(error)
      // an abandoned connection may be lent and given back many times before this turn of the loop is over
      if (!client.listeners('error').includes(unheard)) {
        client.on('error', unheard)
        setImmediate(() => client.off('error', unheard))
      }
      resolve(client)
    })
  })

/** Gives a connection back as soon as it comes, because its caller no longer waits. */
export const giveBack = (coming: Promise<PoolClient>): void => {
  coming.then(
    client => client.release(),
    () => {},
  )
}

/** Takes a connection of the pool, or fails after the time limit; a connection that comes later is given back at once. */
export const connectIn = (pool: Pool, timeoutMs: number): Promise<PoolClient> => {
  const coming = lentBy(pool)
  const { connectionTimeoutMillis: own = 0 } = pool.options
  if (own > 0 && own <= timeoutMs) return coming
  return answeredWithin(timeoutMs, coming, () => {
    giveBack(coming)
    const isFull = pool.totalCount >= pool.options.max && pool.waitingCount > 0
    // the same words as the pool's, when its own limit has passed
    return isFull ? new Error('timeout exceeded when trying to connect') : new NoAnswerError(timeoutMs)
  })
}

/** Resolves as `begin` does, or rejects with the reason of the aborted signal; `onEnd` then stops the work. */
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
