import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Pool } from 'pg'
import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { LiveEvent } from '../../application/ports/reading/live-events.ts'
import { parseCommandStream } from '../../domain/command/names.ts'
import { transitions } from '../../domain/command/transitions.ts'
import { parseJobName, parseRunStream } from '../../domain/workflow-run/names.ts'
import { transitions as runTransitions } from '../../domain/workflow-run/transitions.ts'
import { instant } from '../postgres/connection/instant.ts'
import { parsePosition } from '../postgres/log/event-feed.ts'
import type { LiveSource } from './live-event.ts'

interface Row {
  readonly xid: string
  readonly position: string
  readonly stream: string
  readonly revision: string
  readonly type: string
  readonly meta: unknown
  readonly recorded: string
}

const meta = t.type({
  at: t.string,
  actor: t.string,
  context: t.intersection([
    t.type({ commandType: t.string, correlationId: t.string }),
    t.partial({ tenantId: t.union([t.string, t.null]), causationId: t.union([t.string, t.null]) }),
  ]),
})

/** The feed without the payloads, in the feed's own order; see `createPostgresEventFeed`. */
export const createPostgresLiveSource = (pool: Pool): LiveSource => ({
  beginning: '0/0',

  read: async (after, limit) => {
    const { rows } = await pool.query({
      name: 'command_bus_live',
      // `order by xid` without the table's name would order by the text in the list
      text: `select e.xid::text, e.position::text, e.stream, e.revision, e.type, e.meta,
               ${instant('e.recorded')} as recorded
             from command_bus_event e
             where (e.xid, e.position) > ($1::xid8, $2::bigint) and e.xid < pg_snapshot_xmin(pg_current_snapshot())
             order by e.xid, e.position limit $3::int`,
      values: [...parsePosition(after), limit],
    })
    const last = (rows as Row[]).at(-1)
    return {
      events: (rows as Row[]).flatMap(row => liveEventOf(row) ?? []),
      reached: last === undefined ? after : positionOf(last),
      more: rows.length === limit,
    }
  },

  head: async () => {
    const { rows } = await pool.query(
      `select e.xid::text, e.position::text from command_bus_event e
       where e.xid < pg_snapshot_xmin(pg_current_snapshot()) order by e.xid desc, e.position desc limit 1`,
    )
    return rows[0] === undefined ? '0/0' : positionOf(rows[0])
  },

  parse: text => {
    const [, xid, position] = /^(\d{1,20})\/(\d{1,19})$/.exec(text) ?? []
    if (xid === undefined || position === undefined) return null
    const inRange = BigInt(xid) < 2n ** 64n && BigInt(position) < 2n ** 63n
    return inRange ? `${BigInt(xid)}/${BigInt(position)}` : null
  },

  has: async position => {
    const [xid, place] = parsePosition(position)
    if (place === '0') return xid === '0'
    const { rows } = await pool.query(
      `select from command_bus_event e where e.xid = $1::xid8 and e.position = $2::bigint
       union all select from command_bus_archived_event a where a.xid = $1::xid8 and a.position = $2::bigint limit 1`,
      [xid, place],
    )
    return rows.length > 0
  },

  compare: (a, b) => {
    const [aXid, aPosition] = parsePosition(a)
    const [bXid, bPosition] = parsePosition(b)
    return compareDigits(aXid, bXid) || compareDigits(aPosition, bPosition)
  },
})

const positionOf = ({ xid, position }: Pick<Row, 'xid' | 'position'>): FeedPosition => `${xid}/${position}`

/** Compares numbers without leading zeros: the longer one is larger. */
const compareDigits = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)

/** Null for an event that is not of a command or run, or is unknown to this version: live readers skip it. */
const liveEventOf = (row: Row): LiveEvent | null => {
  const about = meta.decode(row.meta)
  if (!isRight(about)) return null
  const { at, actor, context } = about.right
  const subject = commandOf(row, context) ?? runOf(row)
  if (subject === null) return null
  return {
    position: positionOf(row),
    stream: row.stream,
    revision: Number(row.revision),
    type: row.type,
    ...subject,
    at,
    actor,
    correlationId: context.correlationId,
    tenantId: context.tenantId ?? null,
    recordedAt: row.recorded,
  }
}

type Subject = Pick<LiveEvent, 'domain' | 'commandId' | 'commandType' | 'status' | 'run'>
type Context = t.TypeOf<typeof meta>['context']

const commandOf = (row: Row, { commandType, causationId }: Context): Subject | null => {
  const key = parseCommandStream(row.stream)
  const transition = Object.hasOwn(transitions, row.type)
    ? transitions[row.type as keyof typeof transitions]
    : undefined
  if (key === null || transition === undefined) return null
  const run = parseJobName(causationId ?? '')?.runId ?? null
  return { ...key, commandType, status: transition.to, run }
}

const runOf = (row: Row): Subject | null => {
  const run = Object.hasOwn(runTransitions, row.type) ? parseRunStream(row.stream) : null
  return run === null ? null : { domain: null, commandId: null, commandType: null, status: null, run }
}
