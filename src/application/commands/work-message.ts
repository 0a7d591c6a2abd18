import { type Either, isLeft } from 'fp-ts/lib/Either.js'
import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import { command } from '../../domain/command/index.ts'
import type { Expire, Receive, ReportFailure, ReportSuccess } from '../../domain/command/intents.ts'
import { commandQueue, commandStream, parseCommandId, parseDomain } from '../../domain/command/names.ts'
import { attemptLimit, type CommandState, isUnbegun, type SentCommandState } from '../../domain/command/state.ts'
import { fold } from '../../domain/decider.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { Clock } from '../ports/clock.ts'
import { EventDecodeError, type EventStore } from '../ports/event-store.ts'
import { type Delivery, messageKey, type Queue, type SentEvent } from '../ports/queue.ts'
import type { Loaded, Turn } from '../shared/transact.ts'
import { messageDifferences } from './message-differences.ts'

/** Error code of an attempt that ended with the process of its worker. */
export const WORKER_CRASHED = 'WORKER_CRASHED'
/** Type and code of the error of a command whose message was changed. */
const TAMPERED = 'TAMPERED'

/** A message that this worker may handle. */
export interface WorkItem {
  readonly kind: 'work'
  readonly delivery: Delivery
  readonly key: CommandKey
  readonly stream: string
  readonly command: SentCommandState
  readonly attempt: number
  readonly maxAttempts: number
  readonly loaded: Loaded<CommandState>
  readonly receive: Receive
  /** An earlier attempt ended without a report, or with its process: this command may have crashed its worker. */
  readonly suspect: boolean
}

/** What the log says about a message. */
export type OpenedMessage =
  | WorkItem
  /** Its last attempt ended with its worker: the turn parks it. */
  | { readonly kind: 'exhausted'; readonly delivery: Delivery; readonly key: CommandKey; readonly turn: CommandTurn }
  /** Nobody has begun it by its time: the turn cancels it. */
  | { readonly kind: 'expired'; readonly delivery: Delivery; readonly key: CommandKey; readonly turn: CommandTurn }
  /** It differs from the log: the turn parks its command. */
  | {
      readonly kind: 'tampered'
      readonly delivery: Delivery
      readonly key: CommandKey
      readonly turn: CommandTurn
      readonly differences: readonly string[]
    }
  /** Its command is finished or parked already: archive it, without an event. */
  | { readonly kind: 'finished'; readonly delivery: Delivery; readonly key: CommandKey; readonly status: string }
  /** It belongs to no known command: keep it apart, with a warning. */
  | { readonly kind: 'unknown'; readonly delivery: Delivery; readonly why: string }
  /** The log has a newer attempt: ignore it. */
  | { readonly kind: 'stale'; readonly delivery: Delivery; readonly key: CommandKey }
  /** Its events are damaged, or of a newer version: it waits until they can be read. */
  | { readonly kind: 'unreadable'; readonly delivery: Delivery; readonly key: CommandKey; readonly why: string }

export type CommandTurn = Turn<CommandState, Receive | ReportSuccess | ReportFailure | Expire>

export interface Holder {
  readonly domain: string
  readonly workerId: string
  /** The version or commit of the worker's program. */
  readonly build?: string | undefined
  readonly leaseMs: number
  /** It adopts strangers: then a second message of a finished or parked command is one of them, and is not archived. */
  readonly adopts?: boolean
}

export interface OpenDeps {
  readonly store: Pick<EventStore<CommandEvent>, 'readStreams'>
  readonly queue: Pick<Queue, 'ownersOf' | 'now'>
  readonly clock: Clock
  /** Decodes a stored event, or says why that is not possible. */
  readonly decode: (stored: StoredSent) => Either<readonly string[], { readonly event: CommandEvent }>
}

type StoredSent = Pick<SentEvent, 'data' | 'meta'> & { readonly type: 'CommandSent' }

/** What all messages of one read share: who holds them, and from when to when. */
type Lease = Pick<Receive, 'at' | 'actor' | 'build' | 'leaseExpiresAt'>

/** A message, and whether its event or an earlier attempt proves that it is the message of the command it names. */
interface Judged {
  readonly one: OpenedMessage
  readonly isProven: boolean
}

/**
 * Loads the commands of messages and returns what each message is: those that came with their event at once, all others in one
 * round trip. Changes nothing.
 *
 * The payload that runs is the one of the log. A message that names no known command, or differs from its command, may have
 * been changed; its command is then looked up in the rows, so that the right one is parked. One that is not the message of
 * the unfinished command it names is a stranger.
 */
export const openDeliveries =
  ({ store, queue, clock, decode }: OpenDeps) =>
  async (deliveries: readonly Delivery[], holder: Holder): Promise<readonly OpenedMessage[]> => {
    const keys = deliveries.map(delivery => keyOf(delivery, holder.domain))
    const now = clock.now()
    const lease: Lease = {
      at: now.toISOString(),
      actor: holder.workerId,
      build: holder.build,
      leaseExpiresAt: new Date(now.getTime() + holder.leaseMs).toISOString(),
    }
    const judged = await openAs({ store, decode }, deliveries, keys, lease)
    const opened = await inTime(
      judged.map(({ one }) => one),
      queue,
      holder,
    )
    const doubtful = judged.filter(({ one, isProven }) => isStrange(one) || !isProven)
    if (doubtful.length === 0) return opened
    const owners = await queue.ownersOf(
      commandQueue(holder.domain),
      doubtful.map(({ one }) => messageKey(one.delivery)),
      doubtful.flatMap(({ one }) => ('key' in one ? [one.key.commandId] : [])),
    )
    const others = doubtful.flatMap(({ one: { delivery } }) => {
      const commandId = owners.get(messageKey(delivery))
      const key = keys[deliveries.indexOf(delivery)]
      const isOther = commandId !== undefined && (typeof key === 'string' || key?.commandId !== commandId)
      return isOther ? [{ delivery, key: { domain: holder.domain, commandId } }] : []
    })
    const reopened = await openAs(
      { store, decode },
      others.map(({ delivery }) => delivery),
      others.map(({ key }) => key),
      lease,
    )
    const better = new Map(reopened.flatMap(({ one }) => (one.kind === 'tampered' ? [[one.delivery, one]] : [])))
    const foreign = new Set(doubtful.filter(({ isProven }) => !isProven).map(({ one }) => one.delivery))
    return opened.map(one => {
      const found = better.get(one.delivery) ?? one
      const isForeign = foreign.has(one.delivery) && !owners.has(messageKey(one.delivery))
      return isForeign && (found.kind !== 'finished' || holder.adopts === true) ? asStranger(found) : found
    })
  }

/** Whether a command expires if nobody begins it. */
export const canExpire = ({ command: { sent }, loaded }: WorkItem): boolean =>
  sent.expiresAt !== undefined && isUnbegun(loaded.state)

/** Takes out what has expired by the clock of the queue; asks for that only where there is something that can. */
const inTime = async (
  opened: readonly OpenedMessage[],
  queue: Pick<Queue, 'now'>,
  { workerId: actor }: Holder,
): Promise<readonly OpenedMessage[]> => {
  if (!opened.some(one => one.kind === 'work' && canExpire(one))) return opened
  const at = await queue.now()
  return opened.map((one): OpenedMessage => {
    if (one.kind !== 'work' || !canExpire(one) || at < (one.command.sent.expiresAt ?? '')) return one
    const { delivery, key, stream, loaded } = one
    return { kind: 'expired', delivery, key, turn: { stream, intents: [{ type: 'Expire', at, actor }], known: loaded } }
  })
}

const isStrange = ({ kind }: OpenedMessage): boolean => kind === 'unknown' || kind === 'tampered' || kind === 'finished'

const asStranger = (one: OpenedMessage): OpenedMessage =>
  one.kind === 'unknown' || one.kind === 'unreadable'
    ? one
    : { kind: 'unknown', delivery: one.delivery, why: `command ${one.key.commandId} has another message` }

/** What each message is, judged by the command of the key at its index; a text there is the reason why it has no key. */
const openAs = async (
  { store, decode }: Pick<OpenDeps, 'store' | 'decode'>,
  deliveries: readonly Delivery[],
  keys: readonly (CommandKey | string)[],
  lease: Lease,
): Promise<readonly Judged[]> => {
  const streams = keys.flatMap((key, i) =>
    typeof key === 'string' || deliveries[i]?.sent !== undefined ? [] : [commandStream(key)],
  )
  const found = streams.length === 0 ? NONE : await readEach(store, [...new Set(streams)])
  return deliveries.map((delivery, i): Judged => {
    const key = keys[i] as CommandKey | string
    if (typeof key === 'string') return { one: { kind: 'unknown', delivery, why: key }, isProven: false }
    const history =
      delivery.sent === undefined ? (found.get(commandStream(key)) ?? []) : onlyEvent(delivery.sent, key, decode)
    if (history instanceof EventDecodeError)
      return { one: { kind: 'unreadable', delivery, key, why: history.message }, isProven: true }
    const events = history.map(({ event }) => event)
    const loaded: Loaded<CommandState> = { state: fold(command, events), revision: events.length - 1 }
    return {
      one: open(delivery, key, loaded, lease),
      isProven:
        delivery.sent !== undefined ||
        delivery.own === true ||
        events.some(event => 'msgId' in event && event.msgId === delivery.msgId),
    }
  })
}

type History = readonly Pick<Recorded<CommandEvent>, 'event'>[] | EventDecodeError

const NONE: ReadonlyMap<string, History> = new Map()

const onlyEvent = ({ data, meta }: SentEvent, key: CommandKey, decode: OpenDeps['decode']): History => {
  const decoded = decode({ type: 'CommandSent', data, meta })
  return isLeft(decoded) ? new EventDecodeError(commandStream(key), 0, decoded.left) : [decoded.right]
}

/** Reads each stream by itself if one of them cannot be read. */
const readEach = async (
  store: Pick<EventStore<CommandEvent>, 'readStreams'>,
  streams: readonly string[],
): Promise<ReadonlyMap<string, History>> => {
  try {
    return await store.readStreams(streams)
  } catch (error) {
    if (!(error instanceof EventDecodeError)) throw error
    const [only] = streams
    if (streams.length === 1 && only !== undefined) return new Map([[only, error]])
    const found = new Map<string, History>()
    for (const stream of streams) for (const one of await readEach(store, [stream])) found.set(...one)
    return found
  }
}

const open = (delivery: Delivery, key: CommandKey, loaded: Loaded<CommandState>, lease: Lease): OpenedMessage => {
  const { state } = loaded
  if (state.status === 'NONE') return { kind: 'unknown', delivery, why: `command ${key.commandId} was never sent` }
  const queue = commandQueue(key.domain, state.sent.priority)
  // its message would be taken off another queue than this one
  if (queue !== delivery.queue)
    return { kind: 'unknown', delivery, why: `command ${key.commandId} belongs on queue '${queue}'` }
  const { at, actor, build, leaseExpiresAt } = lease
  const receive: Receive = {
    type: 'Receive',
    at,
    actor,
    build,
    msgId: delivery.msgId,
    delivery: delivery.delivery,
    leaseExpiresAt,
  }
  const decision = command.decide(receive, state)
  if (isLeft(decision)) {
    return decision.left.type === 'NothingToDo'
      ? { kind: 'finished', delivery, key, status: state.status }
      : { kind: 'stale', delivery, key }
  }
  const stream = commandStream(key)
  const after = fold(command, decision.right, state)
  if (after.status !== 'IN_PROGRESS') {
    return { kind: 'exhausted', delivery, key, turn: { stream, intents: [receive], known: loaded } }
  }
  // one that came with its event was compared by the database
  const differences = delivery.sent === undefined ? messageDifferences(delivery.body, key, after) : []
  if (differences.length > 0) {
    const intents = [receive, tampered(receive, after.attempts, differences)]
    return { kind: 'tampered', delivery, key, turn: { stream, intents, known: loaded }, differences }
  }
  const lost = decision.right.some(event => event.type === 'CommandReceived' && event.lost)
  return {
    kind: 'work',
    delivery,
    key,
    stream,
    command: after,
    attempt: after.attempts,
    maxAttempts: attemptLimit(after),
    loaded,
    receive,
    suspect: lost || state.status === 'IN_PROGRESS' || state.lastError?.code === WORKER_CRASHED,
  }
}

const tampered = ({ at, actor, build }: Receive, attempt: number, differences: readonly string[]): ReportFailure => ({
  type: 'ReportFailure',
  at,
  actor,
  build,
  attempt,
  error: {
    type: TAMPERED,
    code: TAMPERED,
    message: 'The message differs from the log: it was changed on the queue or in the archive, and was not run',
    details: { differences },
  },
  random: 0,
})

const keyOf = ({ body, sent }: Delivery, domain: string): CommandKey | string => {
  if (sent !== undefined) return { domain, commandId: sent.commandId }
  if (typeof body !== 'object' || body === null) return 'the message is not a JSON object'
  const id = 'command_id' in body ? body.command_id : undefined
  if (typeof id !== 'string') return 'the message has no command_id'
  const parsed = parseCommandId(id)
  if (isLeft(parsed)) return parsed.left
  const named = 'domain' in body && typeof body.domain === 'string' ? parseDomain(body.domain) : undefined
  if (named !== undefined && (isLeft(named) || named.right !== domain))
    return `the message is not for domain '${domain}'`
  return { domain, commandId: parsed.right }
}
