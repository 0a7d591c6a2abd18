import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import { historyOf, snapshotOf } from '../../domain/command/history.ts'
import { command } from '../../domain/command/index.ts'
import type { CommandIntent } from '../../domain/command/intents.ts'
import { commandStream } from '../../domain/command/names.ts'
import type { CommandRejection } from '../../domain/command/rejections.ts'
import type { CommandState } from '../../domain/command/state.ts'
import type { CommandStatus } from '../../domain/command/transitions.ts'
import { fold } from '../../domain/decider.ts'
import { snapshotDiff } from '../../domain/history.ts'
import type { Json } from '../../domain/json/json.ts'
import type { Recorded } from '../../domain/recorded.ts'
import { contextOf, createTransactCommands } from '../commands/transact-commands.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import { type CutChange, cutChanges, cutMember } from '../shared/cut-json.ts'
import type { Turn } from '../shared/transact.ts'

/** The effects of an event on queues, from the projections. */
export type EffectsOf = (recorded: Recorded<CommandEvent>) => readonly {
  readonly kind: string
  readonly queue: string
  readonly body?: Json
  readonly archivedMsgId?: string | null
}[]

/** A message that an action would send. */
export interface PlannedMessage {
  readonly queue: string
  /** The archived message that would be sent again. */
  readonly archivedMsgId: string | null
  /** The archived payload, or the edited one. */
  readonly data: Json
  /** Only over HTTP and in samples of bulk actions: the size of data that was left out (more than 4 KiB). */
  readonly dataBytes?: number
  readonly dataPreview?: string
}

/** A reply that an action would send. */
export interface PlannedReply {
  readonly queue: string
  readonly body: Json
  /** As `dataBytes` of a message. */
  readonly bodyBytes?: number
  readonly bodyPreview?: string
}

/** What an action would do to one command. */
export interface CommandPlan extends CommandKey {
  readonly from: CommandStatus
  readonly to: CommandStatus
  /** The event types in the audit. */
  readonly events: readonly string[]
  readonly diff: readonly CutChange[]
  /** The number of differences that were left out. */
  readonly diffOmitted?: number
  readonly messages: readonly PlannedMessage[]
  readonly replies: readonly PlannedReply[]
}

export type Planned =
  | { readonly outcome: 'planned'; readonly plan: CommandPlan; readonly revision: number }
  | { readonly outcome: 'rejected'; readonly rejection: CommandRejection }

export interface PlanTurn {
  readonly key: CommandKey
  readonly intent: CommandIntent
  readonly guard?: Turn<CommandState, CommandIntent, CommandRejection>['guard']
}

export type PlanTurns = (turns: readonly PlanTurn[]) => Promise<readonly Planned[]>

/**
 * Runs the turns of an action on a store that appends nothing, and returns the events that would be appended and their
 * effects on queues. One round trip for any number of turns.
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
      turns.map(({ key, intent, guard }) => {
        const stream = commandStream(key)
        const events = (streams.get(stream) ?? []).map(({ event }) => event)
        return {
          stream,
          intents: [intent],
          known: { state: fold(command, events), revision: events.length - 1 },
          ...(guard === undefined ? {} : { guard }),
        }
      }),
    )
    return outcomes.map((outcome, i): Planned => {
      if (outcome.outcome === 'rejected') return outcome
      const { key } = turns[i] as PlanTurn
      const before = streams.get(commandStream(key)) ?? []
      const plan = planOf(key, before, outcome.events, outcome.now.state, effectsOf)
      return { outcome: 'planned', plan, revision: before.length - 1 }
    })
  }
}

/** A store that reads, but only pretends to append. */
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

/** The plan for an answer, with large payloads and reply bodies cut. */
export const cutPlan = ({ diff, messages, replies, ...plan }: CommandPlan): CommandPlan => ({
  ...plan,
  ...cutChanges(diff),
  messages: messages.map(({ data, ...message }) => ({ ...message, ...cutMember('data', data) })),
  replies: replies.map(({ body, ...reply }) => ({ ...reply, ...cutMember('body', body) })),
})
