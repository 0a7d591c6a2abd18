import type { ClientBase, PoolClient } from 'pg'

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

/**
 * Work in a transaction: committed with the work's result, rolled back when it throws. `begin` may say more, such as
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

/** Reads everything as of one instant, and writes nothing. */
export const atOneInstant = <A>(client: Pick<ClientBase, 'query'>, work: () => Promise<A>): Promise<A> =>
  inTransaction(client, work, 'begin isolation level repeatable read read only')
