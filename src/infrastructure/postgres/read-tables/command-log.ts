import type { ClientBase } from 'pg'
import type { BusEvent } from '../../../domain/bus-event.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import { commandRowChange, mergeChanges, type RowChange } from '../../../projections/command-row.ts'
import { commandCodec } from '../../codec/command-codec.ts'
import { busCodec } from '../../codec/workflow-codec.ts'
import { decodeRow, type EventRow } from '../log/event-store.ts'
import { isWorkflowStream } from './workflow-fold.ts'

/** An event of a command, with the message it put on the queue. */
export interface LoggedEvent {
  readonly recorded: Recorded<CommandEvent>
  readonly msgId: string | null
}

export interface LoggedRow extends EventRow {
  readonly msg_id: string | null
}

export const loggedOf = (row: LoggedRow): LoggedEvent => ({ recorded: decodeRow(commandCodec, row), msgId: row.msg_id })

/** An event of a command, a run, a template or a ledger. */
export interface LoggedBusEvent {
  readonly recorded: Recorded<BusEvent>
  readonly msgId: string | null
}

export const isOfCommand = (event: LoggedBusEvent): event is LoggedEvent => isCommandStream(event.recorded.stream)

const isCommandStream = (stream: string): boolean => stream.startsWith('command-')

/** What a run of events makes of one command's row; `msgId` is null where none of them put a message on the queue. */
export interface Folded {
  readonly change: RowChange
  readonly msgId: string | null
}

export const foldInto = (folded: Folded | undefined, { recorded, msgId }: LoggedEvent): Folded | undefined => {
  const next = commandRowChange(recorded)
  if (next === null) return folded
  return folded === undefined
    ? { change: next, msgId }
    : { change: mergeChanges(folded.change, next), msgId: msgId ?? folded.msgId }
}

/** Where a reader of the log stands: the pair of the last event read. */
export interface LogPosition {
  readonly xid: string
  readonly position: string
}

export const startOfLog: LogPosition = { xid: '0', position: '0' }

/** Whether `position` lies before `other` in the feed. */
export const isBefore = (position: LogPosition, other: LogPosition): boolean =>
  position.xid === other.xid
    ? BigInt(position.position) < BigInt(other.position)
    : BigInt(position.xid) < BigInt(other.xid)

export interface LogPage {
  readonly events: readonly LoggedBusEvent[]
  readonly end: LogPosition
  /** Nothing was there. */
  readonly isLast: boolean
}

const PAGE_EVENTS = 5_000
/** Payloads can be large: a page ends before it holds more than this, compressed. */
export const PAGE_BYTES = 16 * 1024 * 1024

// What is not ours is passed over afterwards: a condition on streams would tempt the planner away from the index.
const pageOf = (bound: string): string => `
  select x.xid::text, x.position::text, x.stream, x.revision, x.id, x.type, x.data, x.meta, x.msg_id
  from (
    select e.*, sum(pg_column_size(e.data)) over (order by e.xid, e.position rows unbounded preceding)
                  - pg_column_size(e.data) as before
    from command_bus_event e
    where (e.xid, e.position) > ($1::xid8, $2::bigint) ${bound}
    order by e.xid, e.position limit ${PAGE_EVENTS}) x
  where x.before < ${PAGE_BYTES}
  order by x.xid, x.position`

/** Up to the oldest transaction that still runs: nothing can appear before what was read. */
const settledPage = pageOf('and e.xid < pg_snapshot_xmin(pg_current_snapshot())')
/** Everything that is committed: right only while nobody can append. */
const wholePage = pageOf('')

/** The next events that make rows, in the order of the feed; an empty page is the end. */
export const readLogPage = async (
  client: Pick<ClientBase, 'query'>,
  after: LogPosition,
  writers: 'at work' | 'locked out',
): Promise<LogPage> => {
  const { rows } = await client.query<LoggedRow & LogPosition>({
    text: writers === 'at work' ? settledPage : wholePage,
    values: [after.xid, after.position],
  })
  const last = rows.at(-1)
  return {
    isLast: last === undefined,
    events: rows.flatMap(busEventOf),
    end: last === undefined ? after : { xid: last.xid, position: last.position },
  }
}

const busEventOf = (row: LoggedRow): readonly LoggedBusEvent[] =>
  isCommandStream(row.stream) || isWorkflowStream(row.stream)
    ? [{ recorded: decodeRow<BusEvent>(busCodec, row), msgId: row.msg_id }]
    : []

/** The last event that a reader of the feed can see now. */
export const settledHead = async (client: ClientBase): Promise<LogPosition> => {
  const { rows } = await client.query<LogPosition>(
    `select e.xid::text, e.position::text from command_bus_event e
     where e.xid < pg_snapshot_xmin(pg_current_snapshot()) order by e.xid desc, e.position desc limit 1`,
  )
  return rows[0] ?? startOfLog
}
