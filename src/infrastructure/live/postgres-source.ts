import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Pool } from 'pg'
import type { LiveEvent } from '../../application/ports/reading/live-events.ts'
import { parseCommandStream } from '../../domain/command/names.ts'
import { transitions } from '../../domain/command/transitions.ts'
import { parseJobName, parseRunStream } from '../../domain/workflow-run/names.ts'
import { transitions as runTransitions } from '../../domain/workflow-run/transitions.ts'
import { instant } from '../postgres/connection/instant.ts'
import {
  comparePositions,
  keptPosition,
  type LogPosition,
  nextEvents,
  parsePosition,
  positionText,
  readHead,
  startOfLog,
} from '../postgres/log/log-reader.ts'
import type { LiveSource } from './live-event.ts'

interface Row extends LogPosition {
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
  beginning: positionText(startOfLog),

  read: async (after, limit) => {
    const { xid, position } = keptPosition(after)
    const { rows } = await pool.query({
      name: 'command_bus_live',
      text: nextEvents(columns, '$3::int'),
      values: [xid, position, limit],
    })
    const last = (rows as Row[]).at(-1)
    return {
      events: (rows as Row[]).flatMap(row => liveEventOf(row) ?? []),
      reached: last === undefined ? after : positionText(last),
      more: rows.length === limit,
    }
  },

  head: async () => positionText((await readHead(pool)) ?? startOfLog),

  parse: text => {
    const position = parsePosition(text)
    return position === null ? null : positionText(position)
  },

  has: async text => {
    const { xid, position } = keptPosition(text)
    if (position === '0') return xid === '0'
    const { rows } = await pool.query(
      `select from command_bus_event e where e.xid = $1::xid8 and e.position = $2::bigint
       union all select from command_bus_archived_event a where a.xid = $1::xid8 and a.position = $2::bigint limit 1`,
      [xid, position],
    )
    return rows.length > 0
  },

  compare: (a, b) => comparePositions(keptPosition(a), keptPosition(b)),
})

const columns = `e.xid::text, e.position::text, e.stream, e.revision, e.type, e.meta,
  ${instant('e.recorded')} as recorded`

/** Null for an event that is not of a command or run, or is unknown to this version: live readers skip it. */
const liveEventOf = (row: Row): LiveEvent | null => {
  const about = meta.decode(row.meta)
  if (!isRight(about)) return null
  const { at, actor, context } = about.right
  const subject = commandOf(row, context) ?? runOf(row)
  if (subject === null) return null
  return {
    position: positionText(row),
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
