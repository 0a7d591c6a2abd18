import type { CommandKey } from '../../../domain/command/events.ts'
import { domainOfQueue, parseCommandStream } from '../../../domain/command/names.ts'
import type { Instant } from '../../../domain/instant.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import { mergeChanges, type RowChange } from '../../../projections/command-row.ts'
import type { Effect } from '../../../projections/outbox.ts'
import { createWrites } from '../../../projections/row-write.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import type { CommitPlan, InlineProjections, SettledAppend } from './commit-plan.ts'

/** The document that `command_bus_commit` takes; see migrations/0003_commit.sql. Empty parts are left out. */
export interface UnitOfWork {
  readonly atomic: boolean
  /** Keeps a reply that cannot be delivered, so that it does not fail the unit; costs a subtransaction for each queue. */
  readonly careful?: true
  /** A reschedule of a message that was read changes nothing; without it, it fails the unit. */
  readonly lenient?: true
  readonly events: object[]
  readonly more: object[]
  readonly messages: Messages[]
  readonly resends: object[]
  readonly rows: object[]
  readonly moves: object[]
  readonly acks: Acks[]
  readonly current: object[]
  readonly reschedules: object[]
  readonly replies: Messages[]
  readonly lanes: LanePart[]
  /** For `command_bus_commit_rows`; see migrations/0007_workflow_runs.sql. */
  readonly tables: object[]
}

/** Messages for one queue. The lists have the same length; `events` holds the numbers of the events that cause them. */
interface Messages {
  readonly queue: string
  readonly events: number[]
  readonly bodies: object[]
  /** When each becomes visible; null: at once. Left out where that holds for all. */
  runAts?: (Instant | null)[]
}

interface Acks {
  readonly queue: string
  readonly op: 'delete' | 'archive' | 'postpone' | 'uncount'
  readonly events: number[]
  readonly msgIds: string[]
  /** In milliseconds. */
  readonly waits?: number[]
}

/** What becomes of a command's place in its lane; see migrations/0012_lanes.sql. */
interface LanePart {
  readonly event: number
  readonly op: Extract<Effect, { readonly kind: 'lane' }>['op']
  readonly domain: string
  readonly command_id: string
  readonly lane: string
  readonly limit?: string
  readonly queue?: string
  readonly run_at?: Instant
}

export interface PlannedUnit extends Pick<CommitPlan, 'queues' | 'replyQueues' | 'filled'> {
  readonly unit: Partial<UnitOfWork>
  /** The stream of each event, by the event's number. */
  readonly streamOf: readonly string[]
}

/** The answer to a document. */
export interface CommitAnswer {
  readonly lost: readonly string[]
  readonly undelivered: readonly string[]
  readonly messages: readonly (readonly [event: number, msgId: string])[]
  readonly shown?: readonly string[]
}

/** The statement that commits a unit. A unit of commands only, as most are, pays nothing for the other read tables. */
export const commitStatement = (unit: Partial<UnitOfWork>): CommitPlan['statement'] => {
  const name = unit.tables === undefined ? 'command_bus_commit' : 'command_bus_commit_rows'
  const inLanes = unit.lanes === undefined ? {} : { inLanes: true }
  return { name, call: `${name}($1::jsonb)`, values: [JSON.stringify(unit)], ...inLanes }
}

/** Everything that these appends write, as one document. Pure. */
export const planUnit = <Event>(
  appends: readonly SettledAppend<Event>[],
  codec: EventCodec<Event>,
  projections: InlineProjections<Event>,
  atomic: boolean,
): PlannedUnit => {
  const unit: UnitOfWork = {
    atomic,
    events: [],
    more: [],
    messages: [],
    resends: [],
    rows: [],
    moves: [],
    acks: [],
    current: [],
    reschedules: [],
    replies: [],
    lanes: [],
    tables: [],
  }
  const queues = new Set<string>()
  const replyQueues = new Set<string>()
  const filled = new Set<string>()
  const streamOf: string[] = []

  for (const { append, from } of appends) {
    const { stream } = append
    let change: RowChange | null = null
    let messageOf: number | null = null
    const writes = createWrites()
    append.events.forEach(({ id, event, context }, i) => {
      const number = streamOf.push(stream) - 1
      const recorded: Recorded<Event> = { stream, revision: from + i, id, event, context }
      const part = i === 0 ? unit.events : unit.more
      part.push({
        event: number,
        stream,
        revision: recorded.revision,
        id,
        ...codec.encode(event, context),
      })
      for (const write of projections.writes?.(recorded) ?? []) writes.add(write)
      const next = projections.row(recorded)
      change = change === null || next === null ? (next ?? change) : mergeChanges(change, next)
      for (const effect of projections.effects(recorded)) {
        if (effect.kind !== 'reply') queues.add(effect.queue)
        // events of older versions may name a queue of commands as reply queue: such a reply is kept
        else if (domainOfQueue(effect.queue) === null) replyQueues.add(effect.queue)
        if (effect.kind === 'enqueue' || effect.kind === 'resend') messageOf = number
        if (FILLING.has(effect.kind)) filled.add(effect.queue)
        addEffect(unit, stream, number, effect, change)
      }
    })
    addChange(unit, messageOf, change)
    for (const write of writes.all()) unit.tables.push({ ...write, stream })
  }
  const parts = Object.entries(unit).filter(([, part]) => !Array.isArray(part) || part.length > 0)
  return { unit: Object.fromEntries(parts), queues, replyQueues, filled, streamOf }
}

/** After these a queue may have a message to read. */
const FILLING: ReadonlySet<Effect['kind']> = new Set(['enqueue', 'resend', 'reply', 'reschedule'])

const addChange = (unit: UnitOfWork, event: number | null, change: RowChange | null): void => {
  if (change?.kind === 'insert') unit.rows.push(withoutNulls(change.row, event))
  if (change?.kind === 'move') unit.moves.push(withoutNulls(change.move, event))
}

/** Leaves null columns out, which are half of them: the commit function reads an absent column as null. */
const withoutNulls = (columns: object, event: number | null): object => {
  const kept: Record<string, unknown> = {}
  const given = columns as Readonly<Record<string, unknown>>
  for (const name in given) if (given[name] !== null) kept[name] = given[name]
  if (event !== null) kept.event = event
  return kept
}

const messagesTo = (parts: Messages[], queue: string): Messages => {
  const found = parts.find(part => part.queue === queue)
  if (found !== undefined) return found
  const made: Messages = { queue, events: [], bodies: [] }
  parts.push(made)
  return made
}

const acksOf = (parts: Acks[], queue: string, op: Acks['op']): Acks => {
  const found = parts.find(part => part.queue === queue && part.op === op)
  if (found !== undefined) return found
  const made: Acks = {
    queue,
    op,
    events: [],
    msgIds: [],
    ...(op === 'postpone' || op === 'uncount' ? { waits: [] } : {}),
  }
  parts.push(made)
  return made
}

const keyIn = (change: RowChange | null): object => {
  const key = change?.kind === 'move' ? change.move : change?.row
  return { domain: key?.domain, command_id: key?.command_id }
}

const addEffect = (unit: UnitOfWork, stream: string, event: number, effect: Effect, change: RowChange | null): void => {
  const { queue } = effect
  switch (effect.kind) {
    case 'enqueue':
    case 'reply': {
      const messages = messagesTo(effect.kind === 'enqueue' ? unit.messages : unit.replies, queue)
      messages.events.push(event)
      messages.bodies.push(effect.body)
      if (effect.kind === 'enqueue' && effect.runAt !== undefined) {
        messages.runAts ??= messages.bodies.slice(1).map(() => null)
        messages.runAts.push(effect.runAt)
      } else messages.runAts?.push(null)
      return
    }
    case 'resend':
      unit.resends.push({
        event,
        stream,
        queue,
        archived: effect.archivedMsgId,
        head: effect.head,
        dataRevision: effect.dataRevision,
        ...(effect.data === undefined ? {} : { edited: { data: effect.data } }),
      })
      return
    case 'delete':
    case 'archive': {
      const acks = acksOf(unit.acks, queue, effect.kind)
      acks.events.push(event)
      acks.msgIds.push(effect.msgId)
      return
    }
    case 'postpone': {
      const acks = acksOf(unit.acks, queue, effect.uncount === true ? 'uncount' : 'postpone')
      acks.events.push(event)
      acks.msgIds.push(effect.msgId)
      acks.waits?.push(effect.waitMs)
      return
    }
    case 'archive-current':
      unit.current.push({ stream, queue, ...keyIn(change) })
      return
    case 'lane':
      addLane(unit.lanes, stream, event, effect)
      return
    case 'reschedule':
      unit.reschedules.push({ stream, queue, ...keyIn(change), run_at: effect.runAt })
      return
  }
}

/** One part for each command, the last: one that enters its lane and leaves it in the same unit was never there. */
const addLane = (
  lanes: LanePart[],
  stream: string,
  event: number,
  { op, lane, limit, queue, runAt }: Extract<Effect, { readonly kind: 'lane' }>,
): void => {
  const { domain, commandId } = parseCommandStream(stream) as CommandKey
  const before = lanes.findLastIndex(part => part.command_id === commandId && part.domain === domain)
  const [earlier] = before < 0 ? [] : lanes.splice(before, 1)
  if (earlier?.op === 'enter' && op === 'leave') return
  lanes.push({
    event,
    op,
    domain,
    command_id: commandId,
    lane,
    ...(op === 'enter' ? { queue } : {}),
    ...(limit === undefined ? {} : { limit }),
    ...(runAt === undefined ? {} : { run_at: runAt }),
  })
}
