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
  type TypedArray,
  textArray,
  uuidArray,
} from '../connection/typed-arrays.ts'
import type { CommitPlan, InlineProjections, SettledAppend } from './commit-plan.ts'

type Appends<Event> = readonly SettledAppend<Event>[]

/** A column of the moves: the array that it is sent as, and its value. */
type MoveColumn = readonly [array: (values: never[]) => TypedArray, of: (move: CommandMove) => unknown]

const column = <Value>(
  array: (values: readonly (Value | null)[]) => TypedArray,
  of: (move: CommandMove) => Value | null | undefined,
): MoveColumn => [array as MoveColumn[0], of]

/** In the order of the parameters. */
const moveColumns: readonly MoveColumn[] = [
  column(int8Array, move => move.revision),
  column(textArray, move => move.status),
  column(int4Array, move => move.attempts),
  column(int4Array, move => move.total_attempts),
  column(instantArray, move => move.lease_expires_at),
  column(instantArray, move => move.next_attempt_at),
  column(instantArray, move => move.parked_at),
  column(textArray, move => move.parked_reason),
  column(textArray, move => move.last_error_type),
  column(textArray, move => move.last_error_code),
  column(textArray, move => move.last_error_msg),
  column(textArray, move => move.last_error_frame),
  column(instantArray, move => move.updated_at),
]

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

interface Keys {
  readonly domains: string[]
  readonly ids: string[]
}

const keysOf = <Event>(appends: Appends<Event>): Keys => {
  const keys: Keys = { domains: [], ids: [] }
  for (const { append } of appends) {
    const key = parseCommandStream(append.stream)
    if (key === null) throw new Error(`'${append.stream}' is not the stream of a command`)
    keys.domains.push(key.domain)
    keys.ids.push(key.commandId)
  }
  return keys
}

const planSends = <Event>(appends: Appends<Event>, codec: EventCodec<Event>): CommitPlan => {
  const { domains, ids } = keysOf(appends)
  const events = eventLists()
  for (const { append } of appends) for (const one of append.events) events.add(one, codec)
  const queues = new Set([...new Set(domains)].map(domain => commandQueue(domain)))
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
        textArray(domains),
        uuidArray(ids),
        uuidArray(events.ids),
        jsonbArray(events.data),
        jsonbArray(events.meta),
      ],
    },
    outcomesOf: answer => {
      const msgIds = answer as readonly string[]
      if (msgIds.length === 0) return null
      return { lost: [], messages: new Map(streams.map((stream, i) => [stream, msgIds[i] as string])) }
    },
  }
}

const eventLists = () => {
  const lists = { ids: [] as string[], types: [] as string[], data: [] as string[], meta: [] as string[] }
  return {
    ...lists,
    add: <Event>(
      { id, event, context }: SettledAppend<Event>['append']['events'][number],
      codec: EventCodec<Event>,
    ): void => {
      const stored = codec.encode(event, context)
      lists.ids.push(id)
      lists.types.push(stored.type)
      lists.data.push(JSON.stringify(stored.data))
      lists.meta.push(JSON.stringify(stored.meta))
    },
  }
}

/** Null if an effect or a row is none that a report has. */
const planReports = <Event>(
  appends: Appends<Event>,
  codec: EventCodec<Event>,
  projections: InlineProjections<Event>,
): CommitPlan | null => {
  const { domains, ids } = keysOf(appends)
  const first = eventLists()
  const more = eventLists()
  const moreOf: number[] = []
  const moves: CommandMove[] = []
  const acks: (Ack | null)[] = []
  const replies = { queues: [] as string[], bodies: [] as string[] }

  for (const [place, { append, from }] of appends.entries()) {
    const { stream } = append
    let change: RowChange | null = null
    let ack: Ack | null = null
    for (const [i, one] of append.events.entries()) {
      const recorded: Recorded<Event> = { stream, revision: from + i, ...one }
      if (i === 0) first.add(one, codec)
      else {
        more.add(one, codec)
        moreOf.push(place + 1)
      }
      const next = projections.row(recorded)
      change = change === null || next === null ? (next ?? change) : mergeChanges(change, next)
      for (const effect of projections.effects(recorded)) {
        if (effect.kind === 'reply' && domainOfQueue(effect.queue) === null) {
          replies.queues.push(effect.queue)
          replies.bodies.push(JSON.stringify(effect.body))
        } else if (ack === null && isAck(effect)) ack = effect
        else return null
      }
    }
    if (change?.kind !== 'move') return null
    moves.push(change.move)
    acks.push(ack)
  }
  const streams = appends.map(({ append }) => append.stream)
  const replyQueues = new Set(replies.queues)
  return {
    streams,
    queues: new Set([...new Set(domains)].map(domain => commandQueue(domain))),
    replyQueues,
    filled: replyQueues,
    statement: {
      name: 'command_bus_commit_reports',
      call: REPORTED,
      values: [
        textArray(domains),
        uuidArray(ids),
        int8Array(appends.map(({ from }) => from)),
        uuidArray(first.ids),
        textArray(first.types),
        jsonbArray(first.data),
        jsonbArray(first.meta),
        int4Array(moreOf),
        uuidArray(more.ids),
        textArray(more.types),
        jsonbArray(more.data),
        jsonbArray(more.meta),
        ...moveColumns.map(([array, of]) => array(moves.map(move => of(move) ?? null) as never[])),
        textArray(acks.map(opOf)),
        int8Array(acks.map(ack => ack?.msgId ?? null)),
        float8Array(acks.map(ack => (ack?.kind === 'postpone' ? ack.waitMs : null))),
        textArray(replies.queues),
        jsonbArray(replies.bodies),
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
