import type { ClientBase } from 'pg'
import type { BusEvent } from '../../../domain/bus-event.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import { isCommandStream } from '../../../domain/command/names.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import { commandRowChange, mergeChanges, type RowChange } from '../../../projections/command-row.ts'
import { commandCodec } from '../../codec/command-codec.ts'
import { busCodec } from '../../codec/workflow-codec.ts'
import { decodeRow, type EventRow } from '../log/event-store.ts'
import { AFTER, type LogPosition, logPage, MAY_BE_READ } from '../log/log-reader.ts'
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

/** An event of a command, a run, a template, a ledger or a setting. */
export interface LoggedBusEvent {
  readonly recorded: Recorded<BusEvent>
  readonly msgId: string | null
}

export const isOfCommand = (event: LoggedBusEvent): event is LoggedEvent => isCommandStream(event.recorded.stream)

/** The row of a command after some of its events; `msgId` is null where none of them put a message on the queue. */
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

export interface LogPage {
  readonly events: readonly LoggedBusEvent[]
  readonly end: LogPosition
  /** The page is empty. */
  readonly isLast: boolean
}

// No condition on streams, with which the planner may not use the index: other streams are skipped afterwards.
/** Events before which no other event can appear. */
const settledPage = logPage(`${AFTER} and ${MAY_BE_READ}`)
/** All committed events; correct only while writers are locked out. */
const wholePage = logPage(AFTER)

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
