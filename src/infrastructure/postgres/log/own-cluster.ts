import type { ClientBase, Pool } from 'pg'
import { UnavailableError } from '../../../application/shared/errors.ts'
import { MIRROR_PROJECTION } from './checkpoint.ts'
import { POSITION_PATTERN } from './log-reader.ts'

/** Checkpoints that are positions in this database's log; the mirror's is a position in EventStoreDB. */
const OF_THIS_LOG = `c.projection <> '${MIRROR_PROJECTION}' and c.position ~ '${POSITION_PATTERN}'`

/** The parts of such a checkpoint; null for others. */
export const checkpointXid = `case when ${OF_THIS_LOG} then split_part(c.position, '/', 1)::xid8 end`
export const checkpointPosition = `case when ${OF_THIS_LOG} then split_part(c.position, '/', 2)::bigint end`

/**
 * Whether the log holds transaction ids that this server has not used yet: a dump was restored in another cluster. Reads
 * only the last keys, also of archived streams, seals and checkpoints, which may be ahead of the events that are left.
 */
export const isFromElsewhere = async (db: Pick<ClientBase, 'query'> | Pool): Promise<boolean> => {
  const { rows } = await db.query<{ ahead: boolean | null }>(
    `select greatest(
       (select e.xid from command_bus_event e order by e.xid desc, e.position desc limit 1),
       (select a.xid from command_bus_archived_event a order by a.xid desc, a.position desc limit 1),
       (select s.xid from command_bus_seal s order by s.number desc limit 1),
       (select ${checkpointXid} as xid from command_bus_checkpoint c order by xid desc nulls last limit 1)
     ) >= pg_snapshot_xmax(pg_current_snapshot()) as ahead`,
  )
  return rows[0]?.ahead === true
}

/**
 * Refuses a log that was restored in another cluster, where the order of its events is not known.
 *
 * @throws UnavailableError
 */
export const assertOwnCluster = async (pool: Pool): Promise<void> => {
  if (!(await isFromElsewhere(pool))) return
  throw new UnavailableError(
    'the log of this database was restored from a dump of another server, whose transaction ids it carries: run `commandbus adopt-log`, which makes it a log of this server, see docs/production.md',
  )
}
