import type { Pool, PoolClient } from 'pg'
import { unhurried } from '../connection/database.ts'
import { withClient } from '../connection/with-client.ts'

/** A connection of the pool without a time limit, for what may rightly take long; see `withClient` for the rest. */
export const withUnhurriedClient = <A>(pool: Pool, work: (client: PoolClient) => Promise<A>): Promise<A> =>
  withClient(pool, client => work(unhurried(client)))
