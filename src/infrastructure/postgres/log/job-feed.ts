import type { Pool } from 'pg'
import type { FeedPosition } from '../../../application/ports/event-feed.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import { commandStreamRange } from '../../../domain/command/names.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import { commandCodec } from '../../codec/command-codec.ts'
import { decodeRow, type EventRow } from './event-store.ts'
import { keptPosition, nextEvents, positionText, readHead, startOfLog } from './log-reader.ts'

interface Row extends EventRow {
  readonly xid: string
  readonly place: string
  readonly ours: boolean | null
}

export interface JobPage {
  readonly events: readonly Recorded<CommandEvent>[]
  /** The feed was read up to this position. */
  readonly reached: FeedPosition | null
  readonly more: boolean
}

/**
 * A feed of the events of one domain's commands except `CommandSent`, in the order of the log, up to the oldest
 * transaction that still runs; see `createPostgresEventFeed`.
 */
export const createJobFeed = (pool: Pool, domain: string, pageSize = 2_000) => ({
  read: async (after: FeedPosition | null): Promise<JobPage> => {
    const { xid, position } = keptPosition(after)
    const { rows } = await pool.query<Row>({
      name: 'command_bus_jobs',
      // with a condition on streams inside, the planner may not use the index
      text: `select x.xid::text, x.position::text as place, k.* from (${nextEvents('e.*', pageSize)}) x
             left join lateral (select true as ours, x.stream, x.revision, x.id, x.type, x.data, x.meta) k
               on x.stream >= $3::text collate "C" and x.stream < $4::text collate "C" and x.type <> 'CommandSent'
             order by x.xid, x.position`,
      values: [xid, position, ...commandStreamRange(domain)],
    })
    const last = rows.at(-1)
    return {
      events: rows.filter(row => row.ours).map(row => decodeRow(commandCodec, row)),
      reached: last === undefined ? after : positionText({ xid: last.xid, position: last.place }),
      more: rows.length === pageSize,
    }
  },
  head: async (): Promise<FeedPosition> => positionText((await readHead(pool)) ?? startOfLog),
})

export type JobFeed = ReturnType<typeof createJobFeed>
