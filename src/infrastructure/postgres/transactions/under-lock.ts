import type { ClientBase } from 'pg'
import { inTransaction } from '../connection/with-client.ts'

/**
 * Work in a transaction that nobody else has at the same time under this key. The lock needs no session, so a pooler may
 * lie between.
 */
export const underLock = <A>(client: ClientBase, key: string, work: () => Promise<A>): Promise<A> =>
  inTransaction(client, async () => {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [key])
    return work()
  })
