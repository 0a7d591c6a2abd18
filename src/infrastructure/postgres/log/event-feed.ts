import type { Pool } from 'pg'
import type { EventFeed, FeedEvent } from '../../../application/ports/event-feed.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import { instant } from '../connection/instant.ts'
import { decodeRow, type EventRow } from './event-store.ts'
import { keptPosition, type LogPosition, nextEvents, positionText, readHead } from './log-reader.ts'

interface FeedRow extends EventRow, LogPosition {
  readonly msg_id: string | null
  readonly recorded: string
}

/**
 * Reads the log in the order (transaction, position), up to the oldest transaction that still runs. So no event can
 * appear later before one that was already read.
 */
export const createPostgresEventFeed = <Event>(pool: Pool, codec: EventCodec<Event>): EventFeed<Event> => ({
  read: async (after, limit) => {
    const { xid, position } = keptPosition(after)
    const { rows } = await pool.query({
      name: 'command_bus_feed',
      text: nextEvents(columns, '$3::int'),
      values: [xid, position, limit],
    })
    return (rows as FeedRow[]).map(
      (row): FeedEvent<Event> => ({
        ...decodeRow(codec, row),
        position: positionText(row),
        recordedAt: row.recorded,
        msgId: row.msg_id,
      }),
    )
  },
  head: async () => {
    const head = await readHead(pool)
    return head === null ? null : positionText(head)
  },
})

const columns = `e.xid::text, e.position::text, e.stream, e.revision, e.id, e.type, e.data, e.meta, e.msg_id,
  ${instant('e.recorded')} as recorded`
