import type { Pool } from 'pg'
import type { EventFeed, FeedEvent, FeedPosition } from '../../../application/ports/event-feed.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import { instant } from '../connection/instant.ts'
import { decodeRow, type EventRow } from './event-store.ts'

interface FeedRow extends EventRow {
  readonly xid: string
  readonly position: string
  readonly msg_id: string | null
  readonly recorded: string
}

/**
 * The log in the order (transaction, position), up to the oldest transaction that still runs: an event of an older
 * transaction can then never appear before one already read. A position is `<xid>/<position>`.
 */
export const createPostgresEventFeed = <Event>(pool: Pool, codec: EventCodec<Event>): EventFeed<Event> => ({
  read: async (after, limit) => {
    const [xid, position] = parsePosition(after)
    const { rows } = await pool.query({
      name: 'command_bus_feed',
      text: `select xid::text, position::text, stream, revision, id, type, data, meta, msg_id,
               ${instant('recorded')} as recorded
             from command_bus_event e
             where (xid, position) > ($1::xid8, $2::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
             order by e.xid, e.position limit $3::int`,
      values: [xid, position, limit],
    })
    return (rows as FeedRow[]).map(
      (row): FeedEvent<Event> => ({
        ...decodeRow(codec, row),
        position: `${row.xid}/${row.position}`,
        recordedAt: row.recorded,
        msgId: row.msg_id,
      }),
    )
  },
  head: async () => {
    const { rows } = await pool.query(
      `select xid::text, position::text from command_bus_event e
       where xid < pg_snapshot_xmin(pg_current_snapshot()) order by e.xid desc, e.position desc limit 1`,
    )
    return rows[0] === undefined ? null : `${rows[0].xid}/${rows[0].position}`
  },
})

const POSITION = /^(\d{1,20})\/(\d{1,19})$/

/** The pair in a position; the beginning for null. */
export const parsePosition = (position: FeedPosition | null): readonly [xid: string, position: string] => {
  if (position === null) return ['0', '0']
  const [, xid, number] = POSITION.exec(position) ?? []
  if (xid === undefined || number === undefined) throw new Error(`'${position.slice(0, 50)}' is no feed position`)
  return [xid, number]
}
