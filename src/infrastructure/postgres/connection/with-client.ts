import type { PoolClient } from 'pg'

/** A pool of `pg`, or what gives its connections. */
interface Lender {
  readonly connect: () => Promise<PoolClient>
}

/**
 * A connection of the pool for work of several statements. One that breaks between them must not end the process: while
 * it is lent, the pool does not listen to it. After a failure it is thrown away: it may be in the middle of something.
 */
export const withClient = async <A>(pool: Lender, work: (client: PoolClient) => Promise<A>): Promise<A> => {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error): void => {
    broken ??= error
  }
  client.on('error', onError)
  try {
    return await work(client)
  } catch (error) {
    broken ??= error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}
