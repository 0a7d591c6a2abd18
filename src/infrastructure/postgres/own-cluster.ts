import type { Pool } from 'pg'
import { UnavailableError } from '../../application/errors.ts'

/**
 * Refuses a log whose transaction ids this server has not given out yet: a dump was restored into another cluster, where
 * neither the feed nor an append can tell what came before what. One look at the last key of the feed's index.
 *
 * @throws UnavailableError
 */
export const assertOwnCluster = async (pool: Pool): Promise<void> => {
  const { rows } = await pool.query<{ ahead: boolean }>(
    `select e.xid >= pg_snapshot_xmax(pg_current_snapshot()) as ahead
     from command_bus_event e order by e.xid desc, e.position desc limit 1`,
  )
  if (rows[0]?.ahead !== true) return
  throw new UnavailableError(
    'the log of this database was restored from a dump of another server, whose transaction ids it carries: restore a physical backup (pg_basebackup, a snapshot) instead, see docs/production.md',
  )
}
