import fc, { toStringMethod } from 'fast-check'
import { isRight } from 'fp-ts/lib/Either.js'
import type { CommandError, CommandEvent } from '../../../src/domain/command/events.ts'
import { command } from '../../../src/domain/command/index.ts'
import type { CommandIntent } from '../../../src/domain/command/intents.ts'
import type { RetryPolicy } from '../../../src/domain/command/retry-policy.ts'
import type { CommandState } from '../../../src/domain/command/state.ts'
import { fold } from '../../../src/domain/decider.ts'
import type { Json } from '../../../src/domain/json/json.ts'
import { payload, retryOptions } from '../../../src/testing/arbitraries/index.ts'
import {
  at,
  cancel,
  canceled,
  completed,
  exhausted,
  expire,
  expired,
  fail,
  failed,
  operatorAssign,
  operatorAssigned,
  operatorCancel,
  operatorCanceled,
  operatorComplete,
  operatorCompleted,
  operatorEndAttempt,
  operatorEndedAttempt,
  operatorNote,
  operatorNoted,
  operatorRetried,
  operatorRetry,
  operatorSnooze,
  operatorSnoozed,
  operatorTag,
  operatorTagged,
  parked,
  receive,
  received,
  rejectedByRule,
  reschedule,
  rescheduled,
  send,
  sent,
  succeed,
} from './command-life.ts'

/** Any JSON value that JSON text preserves, numbers included. */
export const json: fc.Arbitrary<Json> = payload()

export const retryPolicy: fc.Arbitrary<RetryPolicy> = retryOptions()

const errorTypes = [
  'TRANSIENT',
  'PERMANENT',
  'BUSINESS_RULE',
  'LEASE_LOST',
  'NO_HANDLER',
  'INVALID_PAYLOAD',
  'TAMPERED',
] as const

const cause = fc.record(
  {
    kind: fc.constantFrom('cause', 'member'),
    depth: fc.nat(),
    code: fc.string(),
    message: fc.string(),
    stack: fc.string(),
  },
  { requiredKeys: ['kind', 'depth', 'code', 'message'] },
)

export const commandError: fc.Arbitrary<CommandError> = fc.record(
  {
    type: fc.constantFrom(...errorTypes),
    code: fc.string(),
    message: fc.string(),
    details: json,
    stack: fc.string(),
    frame: fc.string(),
    causes: fc.array(cause, { maxLength: 3 }),
  },
  { requiredKeys: ['type', 'code', 'message'] },
)

const instant = fc.integer({ min: 0, max: 1_000_000 }).map(at)
const actor = fc.constantFrom('shop', 'worker:a', 'worker:b', 'jane@example.com')
const attempt = fc.integer({ min: 0, max: 9 })
const msgId = fc.integer({ min: 1, max: 9 }).map(String)
const maybeText = fc.option(fc.string(), { nil: null })
const reason = fc.constantFrom(
  'PERMANENT',
  'EXHAUSTED',
  'LEASE_LOST',
  'NO_HANDLER',
  'INVALID_PAYLOAD',
  'ATTEMPT_ENDED',
  'TAMPERED',
)
const staysParked = { parkedAt: instant, parkedReason: reason, snoozedUntil: fc.option(instant, { nil: null }) }

const fact = { at: instant, actor }
const ofAttempt = { ...fact, attempt, msgId }
/** What most commands have none of. */
const flow = fc.record(
  {
    runAt: instant,
    priority: fc.constantFrom('high', 'low'),
    expiresAt: instant,
    lane: fc.string(),
    limit: fc.string(),
  },
  { requiredKeys: [] },
)

const ending = fc.record({ ...ofAttempt, error: commandError })

/** Any event, also one that is not possible in a command's life. */
export const commandEvents = {
  CommandSent: fc
    .tuple(
      fc.record({
        ...fact,
        data: json,
        correlationId: fc.string(),
        causationId: maybeText,
        replyTo: maybeText,
        tenantId: maybeText,
        ownerId: maybeText,
        parentCommandId: maybeText,
        retryCount: fc.nat(),
        policy: retryPolicy,
      }),
      flow,
    )
    .map(([members, others]) => sent({ ...members, ...others })),
  CommandReceived: fc
    .record({ ...ofAttempt, total: fc.nat(), leaseExpiresAt: instant, lost: fc.boolean() })
    .map(over => received(over.attempt, over)),
  CommandFailed: fc
    .record({ ...ofAttempt, error: commandError, retryAt: instant })
    .map(over => failed(over.attempt, over)),
  CommandMovedToTroubleshooting: fc
    .record({ ...ofAttempt, error: commandError, reason })
    .map(over => parked(over.attempt, over.reason, over)),
  CommandRejectedByBusinessRule: ending.map(over => rejectedByRule(over.attempt, over)),
  CommandExhausted: ending.map(over => exhausted(over.attempt, over)),
  CommandCompleted: fc
    .record(
      { ...ofAttempt, result: json, receipt: fc.record({ at: instant, total: fc.nat(), leaseExpiresAt: instant }) },
      { requiredKeys: ['at', 'actor', 'attempt', 'msgId', 'result'] },
    )
    .map(over => completed(over.attempt, over)),
  CommandCanceled: fc.record({ ...fact, reason: maybeText }).map(canceled),
  CommandRescheduled: fc.record({ ...fact, runAt: instant }).map(rescheduled),
  CommandExpired: fc.record({ ...fact, expiresAt: instant }).map(expired),
  OperatorRetried: fc
    .record(
      {
        ...fact,
        resetAttempts: fc.boolean(),
        attempts: attempt,
        archivedMsgId: msgId,
        dataRevision: fc.nat(),
        data: json,
      },
      { requiredKeys: ['at', 'actor', 'resetAttempts', 'attempts', 'archivedMsgId', 'dataRevision'] },
    )
    .map(operatorRetried),
  OperatorCanceled: fc.record({ ...fact, reason: fc.string() }).map(operatorCanceled),
  OperatorCompleted: fc.record({ ...fact, resultData: json }).map(operatorCompleted),
  OperatorSnoozed: fc
    .record({ ...fact, until: instant, reason: maybeText, parkedAt: instant, parkedReason: reason })
    .map(operatorSnoozed),
  OperatorNoted: fc
    .record({ ...fact, ...staysParked, text: fc.string(), number: fc.integer({ min: 1, max: 9 }) })
    .map(operatorNoted),
  OperatorAssigned: fc.record({ ...fact, ...staysParked, assignee: maybeText }).map(operatorAssigned),
  OperatorTagged: fc.record({ ...fact, ...staysParked, tags: fc.array(fc.string()) }).map(operatorTagged),
  OperatorEndedAttempt: fc
    .record({ ...ofAttempt, reason: fc.string(), error: commandError })
    .map(over => operatorEndedAttempt(over.attempt, over)),
} satisfies { readonly [K in CommandEvent['type']]: fc.Arbitrary<Extract<CommandEvent, { type: K }>> }

export const commandEvent: fc.Arbitrary<CommandEvent> = fc.oneof(...Object.values(commandEvents))

export interface Situation {
  readonly state: CommandState
  readonly step: number
  /** The command's present message; each operator's retry makes a new one. */
  readonly message: number
}

/** An intent that depends on the command's state: mostly about the present attempt, sometimes about another. */
export type Move = (situation: Situation) => CommandIntent

const near = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -2, max: 2 }) },
)
/** How many rounds ago a delivery was made. */
const late = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) })
const attemptsOf = (state: CommandState): number => (state.status === 'NONE' ? 0 : state.attempts)
const offsetOf = (state: CommandState): number => (state.status === 'NONE' ? 0 : state.attemptOffset)
const dueAt = (step: number) => ({ at: at(step) })

export const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc
      .tuple(retryPolicy, json)
      .map(([policy, data]) => moveOf(step => send({ ...dueAt(step), policy, data }))),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(near, actor, late).map(
      ([off, by, older]): Move =>
        ({ state, step, message }) =>
          receive(Math.max(1, attemptsOf(state) - offsetOf(state) + 1 + off), {
            ...dueAt(step),
            actor: by,
            leaseExpiresAt: at(step + 30),
            msgId: String(Math.max(1, message - older)),
          }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(near, actor, json).map(
      ([off, by, result]): Move =>
        ({ state, step }) =>
          succeed(attemptsOf(state) + off, { ...dueAt(step), actor: by, result }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(near, near, actor, json, late).map(
      ([off, wrong, by, result, older]): Move =>
        ({ state, step, message }) => {
          const delivery = Math.max(1, attemptsOf(state) - offsetOf(state) + 1 + off)
          const msgId = String(Math.max(1, message - older))
          return succeed(offsetOf(state) + delivery + wrong, {
            ...dueAt(step),
            actor: by,
            result,
            receive: receive(delivery, { ...dueAt(step), actor: by, leaseExpiresAt: at(step + 30), msgId }),
          })
        },
    ),
  },
  {
    weight: 7,
    arbitrary: fc.tuple(near, actor, commandError, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })).map(
      ([off, by, error, random]): Move =>
        ({ state, step }) =>
          fail(attemptsOf(state) + off, error.type, { ...dueAt(step), actor: by, error, random }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(20).map(later => moveOf(step => reschedule({ ...dueAt(step), runAt: at(step + later) }))),
  },
  { weight: 2, arbitrary: fc.constant<Move>(({ step }) => expire(dueAt(step))) },
  { weight: 1, arbitrary: maybeText.map(text => moveOf(step => cancel({ ...dueAt(step), reason: text }))) },
  {
    weight: 4,
    arbitrary: fc
      .record({ resetAttempts: fc.boolean(), data: json }, { requiredKeys: ['resetAttempts'] })
      .map(over => moveOf(step => operatorRetry({ ...dueAt(step), ...over }))),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(' ', 'a duplicate')
      .map(text => moveOf(step => operatorCancel({ ...dueAt(step), reason: text }))),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(' ', 'it hangs')
      .map(text => moveOf(step => operatorEndAttempt({ ...dueAt(step), reason: text }))),
  },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 500, max: 502 })
      .map(until => moveOf(step => operatorSnooze({ ...dueAt(step), until: at(until) }))),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom<(step: number) => CommandIntent>(
        step => operatorNote({ ...dueAt(step), text: `at ${step % 3}` }),
        step => operatorAssign({ ...dueAt(step), assignee: step % 2 === 0 ? null : 'jane' }),
        step => operatorTag({ ...dueAt(step), tags: step % 2 === 0 ? [] : ['bank', `${step}`] }),
      )
      .map(intent => moveOf(intent)),
  },
  { weight: 1, arbitrary: json.map(resultData => moveOf(step => operatorComplete({ ...dueAt(step), resultData }))) },
)

const moveOf =
  (intent: (step: number) => CommandIntent): Move =>
  ({ step }) =>
    intent(step)

/** One intent of a life and its result. */
export interface Step {
  readonly intent: CommandIntent
  readonly before: CommandState
  readonly events: readonly CommandEvent[]
  readonly after: CommandState
  /** The message that was the present one before the intent. */
  readonly message: number
}

export interface Life {
  readonly steps: readonly Step[]
  readonly events: readonly CommandEvent[]
  /** The life in a few lines, for counterexamples. */
  readonly [toStringMethod]: () => string
}

/** An intent or an event as a counterexample shows it. */
const said = (thing: object): string =>
  ['type', 'actor', 'delivery', 'attempt', 'msgId', 'resetAttempts']
    .flatMap(name => (name in thing ? [String(thing[name as keyof typeof thing])] : []))
    .join(' ')

const live = (first: CommandIntent, moves: readonly Move[]): Life => {
  const steps: Step[] = []
  let state = command.initial
  let message = 1
  for (const [step, next] of [() => first, ...moves].entries()) {
    const intent = next({ state, step, message })
    const decision = command.decide(intent, state)
    const events = isRight(decision) ? decision.right : []
    const after = fold(command, events, state)
    steps.push({ intent, before: state, events, after, message })
    message += events.filter(event => event.type === 'OperatorRetried').length
    state = after
  }
  const told = () => steps.map(({ intent, events }) => `${said(intent)} -> ${events.map(said).join(', ')}`).join('\n')
  return { steps, events: steps.flatMap(step => step.events), [toStringMethod]: told }
}

const replyTo = fc.constantFrom(null, 'payments__replies')

/** The life of a command that is sent and then gets random intents, refused ones among them. */
export const life: fc.Arbitrary<Life> = fc
  .tuple(
    fc.record({ policy: retryPolicy, replyTo, data: json }),
    flow,
    fc.option(fc.integer({ min: 1, max: 3 }).map(at), { nil: undefined }),
    fc.array(move, { maxLength: 40, size: 'max' }),
  )
  .map(([over, others, expiresAt, moves]) =>
    live(send({ ...over, ...others, ...(expiresAt === undefined ? {} : { expiresAt }) }), moves),
  )
