import type { Pool, PoolClient } from 'pg'
import { unhurried } from '../connection/database.ts'
import { withClient } from '../connection/with-client.ts'

/** As `withClient`, without a time limit, for work that may take long. */
export const withUnhurriedClient = <A>(pool: Pool, work: (client: PoolClient) => Promise<A>): Promise<A> =>
  withClient(pool, client => work(unhurried(client)))
