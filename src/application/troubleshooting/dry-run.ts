import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import { historyOf, snapshotOf } from '../../domain/command/history.ts'
import type { CommandIntent } from '../../domain/command/intents.ts'
import { commandStream } from '../../domain/command/names.ts'
import type { CommandRejection } from '../../domain/command/rejections.ts'
import type { CommandState } from '../../domain/command/state.ts'
import type { CommandStatus } from '../../domain/command/transitions.ts'
import { snapshotDiff } from '../../domain/history.ts'
import type { Json } from '../../domain/json/json.ts'
import type { Recorded } from '../../domain/recorded.ts'
import { contextOf, createTransactCommands } from '../commands/transact-commands.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import { type CutChange, cutChanges, cutMember } from '../shared/cut-json.ts'
import type { Turn } from '../shared/transact.ts'

/** What an event asks of the queues; the projections' own. */
export type EffectsOf = (recorded: Recorded<CommandEvent>) => readonly {
  readonly kind: string
  readonly queue: string
  readonly body?: Json
  readonly archivedMsgId?: string | null
}[]

export interface PlannedMessage {
  readonly queue: string
  /** The archived message that would be sent again. */
  readonly archivedMsgId: string | null
  /** Its payload: the archived one, or the edited one in its place. */
  readonly data: Json
  /** Only in the samples of an action on many and over HTTP: of data that was left out as it has more than 4 KiB. */
  readonly dataBytes?: number
  readonly dataPreview?: string
}

export interface PlannedReply {
  readonly queue: string
  readonly body: Json
  /** As of a message. */
  readonly bodyBytes?: number
  readonly bodyPreview?: string
}

/** What an action would do to one command. */
export interface CommandPlan extends CommandKey {
  readonly from: CommandStatus
  readonly to: CommandStatus
  /** What the audit would call it. */
  readonly events: readonly string[]
  readonly diff: readonly CutChange[]
  /** Differences that had no room. */
  readonly diffOmitted?: number
  readonly messages: readonly PlannedMessage[]
  readonly replies: readonly PlannedReply[]
}

export type Planned =
  | { readonly outcome: 'planned'; readonly plan: CommandPlan }
  | { readonly outcome: 'rejected'; readonly rejection: CommandRejection }

export interface PlanTurn {
  readonly key: CommandKey
  readonly intent: CommandIntent
  readonly guard?: Turn<CommandState, CommandIntent, CommandRejection>['guard']
}

export type PlanTurns = (turns: readonly PlanTurn[]) => Promise<readonly Planned[]>

/**
 * Takes the very turns that an action takes, on a store that appends nothing, and tells what would have been appended,
 * and what that asks of the queues. One round trip, whatever the number of turns.
 */
export const planTurns = (
  store: Pick<EventStore<CommandEvent>, 'capabilities' | 'readStream' | 'readStreams'>,
  ids: Ids,
  effectsOf: EffectsOf,
): PlanTurns => {
  const transact = createTransactCommands(withoutAppending(store), ids)
  return async turns => {
    const streams = await store.readStreams([...new Set(turns.map(({ key }) => commandStream(key)))])
    const outcomes = await transact(
      turns.map(({ key, intent, guard }) => ({
        stream: commandStream(key),
        intents: [intent],
        ...(guard === undefined ? {} : { guard }),
      })),
    )
    return outcomes.map((outcome, i): Planned => {
      if (outcome.outcome === 'rejected') return outcome
      const { key } = turns[i] as PlanTurn
      const before = streams.get(commandStream(key)) ?? []
      return { outcome: 'planned', plan: planOf(key, before, outcome.events, outcome.now.state, effectsOf) }
    })
  }
}

/** Reads as ever; says that it has appended, and has not. */
const withoutAppending = (
  store: Pick<EventStore<CommandEvent>, 'capabilities' | 'readStream' | 'readStreams'>,
): EventStore<CommandEvent> => {
  const append: EventStore<CommandEvent>['append'] = async appends =>
    appends.map(({ stream, expected, events }) => ({
      outcome: 'appended',
      stream,
      revision: (typeof expected === 'number' ? expected : -1) + events.length,
      msgId: null,
    }))
  return {
    capabilities: store.capabilities,
    readStream: store.readStream,
    readStreams: store.readStreams,
    append,
    appendAll: append,
  }
}

const planOf = (
  key: CommandKey,
  before: readonly Recorded<CommandEvent>[],
  events: readonly CommandEvent[],
  state: CommandState,
  effectsOf: EffectsOf,
): CommandPlan => {
  if (state.status === 'NONE') throw new Error('a command that was never sent has no plan')
  const was = historyOf(before).at(-1)?.state ?? null
  const recorded = events.map((event, i) => ({
    stream: commandStream(key),
    revision: before.length + i,
    id: '',
    event,
    context: contextOf(state),
  }))
  const effects = recorded.flatMap(effectsOf)
  return {
    ...key,
    from: was?.status ?? state.status,
    to: state.status,
    events: historyOf([...before, ...recorded])
      .slice(before.length)
      .flatMap(({ names }) => names),
    diff: snapshotDiff(was, snapshotOf(state, events.at(-1)?.at ?? state.sent.at)),
    messages: effects
      .filter(({ kind }) => kind === 'enqueue' || kind === 'resend')
      .map(({ queue, archivedMsgId }) => ({ queue, archivedMsgId: archivedMsgId ?? null, data: state.data })),
    replies: effects.flatMap(({ kind, queue, body }) =>
      kind === 'reply' && body !== undefined ? [{ queue, body }] : [],
    ),
  }
}

/** The same with large payloads and reply bodies cut, as an answer carries it. */
export const cutPlan = ({ diff, messages, replies, ...plan }: CommandPlan): CommandPlan => ({
  ...plan,
  ...cutChanges(diff),
  messages: messages.map(({ data, ...message }) => ({ ...message, ...cutMember('data', data) })),
  replies: replies.map(({ body, ...reply }) => ({ ...reply, ...cutMember('body', body) })),
})
