import type { ClientBase } from 'pg'
import { inTransaction } from '../connection/with-client.ts'

/**
 * Runs `work` in a transaction under an exclusive lock for this key. The lock belongs to the transaction, so it works
 * through any pooler.
 */
export const underLock = <A>(client: ClientBase, key: string, work: () => Promise<A>): Promise<A> =>
  inTransaction(client, async () => {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [key])
    return work()
  })
