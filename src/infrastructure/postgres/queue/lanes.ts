import type { Pool } from 'pg'
import { inTransaction, withClient } from '../connection/with-client.ts'

/**
 * Looks again at the lanes of a domain that are noted for it, and lets those commands run that may by now. A change of settings does
 * so itself; this is for what it could not do. Returns the queues with messages that have become visible.
 */
export const admitLanes = (pool: Pool, domain: string): Promise<readonly string[]> =>
  withClient(pool, client =>
    // with one snapshot for all of it, it could not see what was committed before it had a lane's lock
    inTransaction(
      client,
      async () => {
        const { rows } = await client.query<{ readonly queues: readonly string[] }>(
          'select command_bus_admit_lanes($1::text) as queues',
          [domain],
        )
        return rows[0]?.queues ?? []
      },
      'begin isolation level read committed',
    ),
  )
