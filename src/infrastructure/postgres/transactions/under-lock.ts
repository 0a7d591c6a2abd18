import type { ClientBase } from 'pg'

/**
 * Work in a transaction that nobody else has at the same time under this key. The lock needs no session, so a pooler may
 * lie between.
 */
export const underLock = async <A>(client: ClientBase, key: string, work: () => Promise<A>): Promise<A> => {
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [key])
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}
