import type { ClientBase, PoolClient } from 'pg'

/** A pool of `pg`, or what gives its connections. */
interface Lender {
  readonly connect: () => Promise<PoolClient>
}

/**
 * Lends a connection of the pool to `work`. It listens for the connection's errors, as the pool does not while it is lent:
 * a break between two statements would end the process. After a failure the connection is closed: its state is unknown.
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

/**
 * Runs `work` in a transaction: commits when it resolves, rolls back when it throws. `begin` may be longer, such as
 * `begin isolation level repeatable read`.
 */
export const inTransaction = async <A>(
  client: Pick<ClientBase, 'query'>,
  work: () => Promise<A>,
  begin = 'begin',
): Promise<A> => {
  await client.query(begin)
  try {
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

/** Runs `work` in a read-only transaction that sees the data of one instant. */
export const atOneInstant = <A>(client: Pick<ClientBase, 'query'>, work: () => Promise<A>): Promise<A> =>
  inTransaction(client, work, 'begin isolation level repeatable read read only')
