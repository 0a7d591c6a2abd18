import type { NewEvent } from '../../../application/ports/event-store.ts'
import type { CommandKey } from '../../../domain/command/events.ts'
import { commandQueue, domainOfQueue, parseCommandStream } from '../../../domain/command/names.ts'
import type { EventContext, Recorded } from '../../../domain/recorded.ts'
import { type CommandMove, mergeChanges, type RowChange } from '../../../projections/command-row.ts'
import type { Effect } from '../../../projections/outbox.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import {
  float8Array,
  instantArray,
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  uuidArray,
} from '../connection/typed-arrays.ts'
import type { CommitPlan, InlineProjections, SettledAppend } from './commit-plan.ts'

type Appends<Event> = readonly SettledAppend<Event>[]

const REPORTS = new Set([
  'CommandReceived',
  'CommandCompleted',
  'CommandFailed',
  'CommandMovedToTroubleshooting',
  'CommandRejectedByBusinessRule',
  'CommandExhausted',
])

/** `$1::text[], $2::uuid[], ...` */
const parameters = (types: string): string => {
  const names = types.split(' ')
  return names.map((type, i) => `$${i + 1}::${type}[]`).join(', ')
}

const SENT = `command_bus_commit_sent(${parameters('text uuid uuid jsonb jsonb')})`
const REPORTED = `command_bus_commit_reports(${parameters(
  'text uuid bigint uuid text jsonb jsonb int uuid text jsonb jsonb bigint text int int timestamptz timestamptz timestamptz text text text text text timestamptz text bigint float8 text jsonb',
)})`

const NONE: ReadonlySet<string> = new Set()

type ColumnsName = 'command_bus_commit_sent' | 'command_bus_commit_reports'

/** The function that commits these appends as columns; null if they are neither all sends nor all reports of workers. */
export const columnsFor = <Event extends { readonly type: string }>(appends: Appends<Event>): ColumnsName | null => {
  if (appends.length === 0) return null
  if (appends.every(isSend)) return 'command_bus_commit_sent'
  return appends.every(isReport) ? 'command_bus_commit_reports' : null
}

/** The plan of such appends; null if they still have to be sent as a document. Messages get their ids in the order of the appends. Pure. */
export const planColumns = <Event extends { readonly type: string }>(
  name: ColumnsName,
  appends: Appends<Event>,
  codec: EventCodec<Event>,
  projections: InlineProjections<Event>,
): CommitPlan | null =>
  name === 'command_bus_commit_sent' ? planSends(appends, codec) : planReports(appends, codec, projections)

const isSend = <Event extends { readonly type: string }>({ append, from }: SettledAppend<Event>): boolean =>
  from === 0 &&
  append.events.length === 1 &&
  append.events.every(one => one.event.type === 'CommandSent' && isPlain(one))

const isReport = <Event extends { readonly type: string }>({ append, from }: SettledAppend<Event>): boolean =>
  from > 0 && append.events.length <= 2 && append.events.every(one => REPORTS.has(one.event.type) && isPlain(one))

/** Columns know one queue for each domain, and neither times nor lanes. */
const isPlain = ({ event, context }: { readonly event: object; readonly context: EventContext }): boolean =>
  context.priority === undefined && context.lane === undefined && !('runAt' in event || 'expiresAt' in event)

/** One event of a command, as the columns have it: data and meta are JSON. */
interface Row extends CommandKey {
  readonly id: string
  readonly type: string
  readonly data: string
  readonly meta: string
}

const keyOf = (stream: string): CommandKey => {
  const key = parseCommandStream(stream)
  if (key === null) throw new Error(`'${stream}' is not the stream of a command`)
  return key
}

const rowOf = <Event>(
  { domain, commandId }: CommandKey,
  { id, event, context }: NewEvent<Event>,
  codec: EventCodec<Event>,
): Row => {
  const { type, data, meta } = codec.encode(event, context)
  return { domain, commandId, id, type, data: JSON.stringify(data), meta: JSON.stringify(meta) }
}

const queuesOf = (rows: readonly Row[]): ReadonlySet<string> =>
  new Set([...new Set(rows.map(({ domain }) => domain))].map(domain => commandQueue(domain)))

const planSends = <Event>(appends: Appends<Event>, codec: EventCodec<Event>): CommitPlan => {
  const sends = appends.map(({ append: { stream, events } }) =>
    rowOf(keyOf(stream), events[0] as NewEvent<Event>, codec),
  )
  const queues = queuesOf(sends)
  const streams = appends.map(({ append }) => append.stream)
  return {
    streams,
    queues,
    replyQueues: NONE,
    filled: queues,
    statement: {
      name: 'command_bus_commit_sent',
      call: SENT,
      values: [
        textArray(sends, row => row.domain),
        uuidArray(sends, row => row.commandId),
        uuidArray(sends, row => row.id),
        jsonbArray(sends, row => row.data),
        jsonbArray(sends, row => row.meta),
      ],
    },
    outcomesOf: answer => {
      const msgIds = answer as readonly string[]
      if (msgIds.length === 0) return null
      return { lost: [], messages: new Map(streams.map((stream, i) => [stream, msgIds[i] as string])) }
    },
  }
}

/** Null if an effect or a row is none that a report has. */
const planReports = <Event>(
  appends: Appends<Event>,
  codec: EventCodec<Event>,
  projections: InlineProjections<Event>,
): CommitPlan | null => {
  /** The first event of each append. */
  const first: Row[] = []
  /** Second events; `place` is that of their append, counted from 1. */
  const more: (Row & { readonly place: number })[] = []
  const moves: CommandMove[] = []
  const acks: (Ack | null)[] = []
  const replies: { readonly queue: string; readonly body: string }[] = []

  for (const { append, from } of appends) {
    const { stream, events } = append
    const key = keyOf(stream)
    let revision = from
    let change: RowChange | null = null
    let ack: Ack | null = null
    for (const one of events) {
      const recorded: Recorded<Event> = { stream, revision, id: one.id, event: one.event, context: one.context }
      const row = rowOf(key, one, codec)
      if (revision === from) first.push(row)
      else more.push({ place: first.length, ...row })
      revision++
      const next = projections.row(recorded)
      change = change === null || next === null ? (next ?? change) : mergeChanges(change, next)
      for (const effect of projections.effects(recorded)) {
        if (effect.kind === 'reply' && domainOfQueue(effect.queue) === null)
          replies.push({ queue: effect.queue, body: JSON.stringify(effect.body) })
        else if (ack === null && isAck(effect)) ack = effect
        else return null
      }
    }
    if (change?.kind !== 'move') return null
    moves.push(change.move)
    acks.push(ack)
  }
  const replyQueues = new Set(replies.map(({ queue }) => queue))
  return {
    streams: appends.map(({ append }) => append.stream),
    queues: queuesOf(first),
    replyQueues,
    filled: replyQueues,
    statement: {
      name: 'command_bus_commit_reports',
      call: REPORTED,
      values: [
        textArray(first, row => row.domain),
        uuidArray(first, row => row.commandId),
        int8Array(appends, ({ from }) => from),
        uuidArray(first, row => row.id),
        textArray(first, row => row.type),
        jsonbArray(first, row => row.data),
        jsonbArray(first, row => row.meta),
        int4Array(more, row => row.place),
        uuidArray(more, row => row.id),
        textArray(more, row => row.type),
        jsonbArray(more, row => row.data),
        jsonbArray(more, row => row.meta),
        int8Array(moves, move => move.revision),
        textArray(moves, move => move.status),
        int4Array(moves, move => move.attempts),
        int4Array(moves, move => move.total_attempts),
        instantArray(moves, move => move.lease_expires_at),
        instantArray(moves, move => move.next_attempt_at),
        instantArray(moves, move => move.parked_at),
        textArray(moves, move => move.parked_reason),
        textArray(moves, move => move.last_error_type),
        textArray(moves, move => move.last_error_code),
        textArray(moves, move => move.last_error_msg),
        textArray(moves, move => move.last_error_frame),
        instantArray(moves, move => move.updated_at),
        textArray(acks, opOf),
        int8Array(acks, ack => ack?.msgId),
        float8Array(acks, ack => (ack?.kind === 'postpone' ? ack.waitMs : null)),
        textArray(replies, ({ queue }) => queue),
        jsonbArray(replies, ({ body }) => body),
      ],
    },
    outcomesOf: answer => (answer === true ? { lost: [], messages: new Map() } : null),
  }
}

type Ack = Extract<Effect, { readonly kind: 'delete' | 'archive' | 'postpone' }>

const isAck = (effect: Effect): effect is Ack =>
  effect.kind === 'delete' || effect.kind === 'archive' || effect.kind === 'postpone'

const opOf = (ack: Ack | null): string | null =>
  ack?.kind === 'postpone' && ack.uncount === true ? 'uncount' : (ack?.kind ?? null)
