import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { isRight } from 'fp-ts/lib/Either.js'
import type { Pool } from 'pg'
import { contextOf } from '../../../src/application/commands/transact-commands.ts'
import type { AppendResult, EventStore, NewEvent, StreamAppend } from '../../../src/application/ports/event-store.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { command } from '../../../src/domain/command/index.ts'
import type { CommandIntent, Send } from '../../../src/domain/command/intents.ts'
import { commandStream } from '../../../src/domain/command/names.ts'
import { type CommandState, initialState } from '../../../src/domain/command/state.ts'
import { fold } from '../../../src/domain/decider.ts'
import { commandCodec } from '../../../src/infrastructure/codec/command-codec.ts'
import { createPostgresEventStore } from '../../../src/infrastructure/postgres/log/event-store.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { createReplyQueues } from '../../../src/infrastructure/postgres/queue/reply-queues.ts'
import { commandRowChange } from '../../../src/projections/command-row.ts'
import { type OutboxOptions, outbox } from '../../../src/projections/outbox.ts'
import { json, type Move, move } from './command-arbitraries.ts'
import { at, completed, fail, received, send } from './command-life.ts'

/** The store as in a bus: queues of replies are made before a commit, so that it needs no care. */
export const createBusStore = (
  pool: Pool,
  onSuccess: OutboxOptions['onSuccess'] = 'delete',
): EventStore<CommandEvent> => {
  const catalog = createQueueCatalog(pool)
  return createPostgresEventStore({
    pool,
    codec: commandCodec,
    projections: { row: commandRowChange, effects: outbox({ onSuccess }) },
    ensureQueues: catalog.ensure,
    replyQueues: createReplyQueues(catalog),
    onFilled: () => {},
  })
}

/** In this database every unit of work is committed as a document. */
export const refuseColumns = (pool: Pool) =>
  pool.query(`create or replace function command_bus_may_commit_columns(sends boolean) returns boolean
              language sql stable as 'select false'`)

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: null })

const about = fc.record(
  {
    commandType: fc.constantFrom('Charge', 'Refund:1'),
    data: fc.oneof(json, text),
    correlationId: text,
    causationId: maybe(text),
    replyTo: fc.constantFrom(null, 'answers', 'other_answers'),
    tenantId: maybe(text),
    ownerId: maybe(text),
    parentCommandId: maybe(fc.uuid()),
    retryCount: fc.nat(),
    policy: fc.record({
      maxAttempts: fc.integer({ min: 1, max: 3 }),
      backoffSeconds: fc.constantFrom([0], [1_000, 100_000]),
      jitter: fc.constant(0),
      onExhausted: fc.constantFrom('park', 'fail'),
    }),
    traceparent: fc.constant(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`),
  },
  {
    requiredKeys: [
      'commandType',
      'data',
      'correlationId',
      'causationId',
      'replyTo',
      'tenantId',
      'ownerId',
      'parentCommandId',
      'retryCount',
      'policy',
    ],
  },
)

/** A worker gives an attempt up, counted or not. */
const giveUp = fc.boolean().map(
  (counts): Move =>
    ({ state, step }) =>
      fail(state.status === 'NONE' ? 0 : state.attempts, 'TRANSIENT', { at: at(step), givenUp: { counts } }),
)

/** What becomes of a command in one commit: up to two moves, or a writer that is too late. */
const step = fc.record({
  moves: fc.array(fc.oneof({ weight: 9, arbitrary: move }, { weight: 1, arbitrary: giveUp }), {
    minLength: 1,
    maxLength: 2,
  }),
  tooLate: fc.integer({ min: 0, max: 9 }).map(n => n === 0),
})

const plan = fc.record({
  domain: fc.constantFrom('payments', 'payments.eu', 'refunds-b'),
  about,
  steps: fc.array(step, { maxLength: 12, size: 'max' }),
})

/** Commands that live side by side, and how each round is committed. */
export const crowd = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 8 }),
  how: fc.array(fc.constantFrom('alone', 'brief', 'within'), { minLength: 13, maxLength: 13 }),
})

type How = 'alone' | 'brief' | 'within'
type Append = (appends: readonly StreamAppend<CommandEvent>[], how: How) => Promise<readonly AppendResult[]>

interface Living {
  readonly stream: string
  readonly steps: readonly { readonly moves: readonly Move[]; readonly tooLate: boolean }[]
  state: CommandState
  revision: number
  readonly msgIds: string[]
}

const reports = new Set([
  'CommandReceived',
  'CommandCompleted',
  'CommandFailed',
  'CommandMovedToTroubleshooting',
  'CommandRejectedByBusinessRule',
  'CommandExhausted',
])

/** Lives through all rounds: in each, reports and the rest are committed apart. Gives the streams. */
export const liveTogether = async (
  { plans, how }: { readonly plans: readonly (typeof plan extends fc.Arbitrary<infer P> ? P : never)[]; how: How[] },
  append: Append,
): Promise<readonly string[]> => {
  const living = plans.map(({ domain, steps }): Living => {
    const stream = commandStream({ domain, commandId: randomUUID() })
    return { stream, steps, state: initialState, revision: -1, msgIds: [] }
  })
  const commit = async (
    of: readonly { one: Living; events: readonly CommandEvent[]; late?: true }[],
    round: number,
  ) => {
    if (of.length === 0) return
    const appends = of.map(({ one, events, late }): StreamAppend<CommandEvent> => {
      const from = late ? Math.max(one.revision - 1, 0) : one.revision
      const context = contextOf(fold(command, events, one.state))
      const recorded = events.map((event): NewEvent<CommandEvent> => ({ id: randomUUID(), event, context }))
      return { stream: one.stream, expected: from < 0 ? 'none' : from, events: recorded }
    })
    const results = await append(appends, how[round] as How)
    for (const [i, { one, events }] of of.entries()) {
      const result = results[i] as AppendResult
      if (result.outcome !== 'appended') continue
      one.state = fold(command, events, one.state)
      one.revision = result.revision
      if (result.msgId !== null) one.msgIds.push(result.msgId)
    }
  }

  await commit(
    living.map((one, i) => ({ one, events: decide(one, send(plans[i]?.about as Partial<Send>)) })),
    0,
  )
  for (let round = 1; living.some(({ steps }) => steps.length >= round); round++) {
    const turns = living.flatMap(one => {
      const step = one.steps[round - 1]
      if (step === undefined) return []
      const events: CommandEvent[] = []
      for (const next of step.moves) {
        const state = fold(command, events, one.state)
        const intent = next({ state, step: round, message: one.msgIds.length })
        // the queue refuses to move a message that was read, and each message here was
        if (intent.type !== 'Reschedule') events.push(...decide({ ...one, state }, intent))
      }
      if (events.length === 0) return []
      return [step.tooLate && one.revision > 0 ? { one, events, late: true as const } : { one, events }]
    })
    const isReport = ({ events }: (typeof turns)[number]) => events.every(({ type }) => reports.has(type))
    await commit(turns.filter(isReport), round)
    await commit(
      turns.filter(turn => !isReport(turn)),
      round,
    )
  }
  return living.map(({ stream }) => stream)
}

/** The events of an intent about the command's real messages, which it names by their place. */
const decide = (
  { state, msgIds }: Pick<Living, 'state' | 'msgIds'>,
  intent: CommandIntent,
): readonly CommandEvent[] => {
  const real = (place: string): string => msgIds[Number(place) - 1] ?? place
  const named: CommandIntent =
    intent.type === 'Receive'
      ? { ...intent, msgId: real(intent.msgId) }
      : intent.type === 'ReportSuccess' && intent.receive !== undefined
        ? { ...intent, receive: { ...intent.receive, msgId: real(intent.receive.msgId) } }
        : intent
  const decided = command.decide(named, state)
  return isRight(decided) ? decided.right : []
}

/** In this database units of work are committed as columns, or not at all. */
export const refuseDocuments = (pool: Pool) =>
  pool.query(`create or replace function command_bus_commit(unit jsonb) returns jsonb
              language plpgsql as $$ begin raise exception 'this came as a document'; end $$`)

const contextTo = (replyTo: string | null) => ({
  commandType: 'Charge',
  correlationId: 'c',
  causationId: null,
  replyTo,
  tenantId: null,
})

/** The append that completes a command at its first attempt; `apart`: its receipt is an event of its own. */
export const completing = (
  stream: string,
  msgId: string,
  {
    replyTo = null,
    expected = 0,
    apart = false,
  }: { readonly replyTo?: string | null; readonly expected?: number; readonly apart?: boolean } = {},
): StreamAppend<CommandEvent> => {
  const receipt = { at: at(1), total: 1, leaseExpiresAt: at(31) }
  const events = apart ? [received(1, { msgId }), completed(1, { msgId })] : [completed(1, { msgId, receipt })]
  const context = contextTo(replyTo)
  return { stream, expected, events: events.map(event => ({ id: randomUUID(), event, context })) }
}
