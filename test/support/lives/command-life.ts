import type * as events from '../../../src/domain/command/events.ts'
import { command } from '../../../src/domain/command/index.ts'
import type * as intents from '../../../src/domain/command/intents.ts'
import { commandStream } from '../../../src/domain/command/names.ts'
import { defaultRetryPolicy, type RetryPolicy } from '../../../src/domain/command/retry-policy.ts'
import type { CommandStatus } from '../../../src/domain/command/transitions.ts'
import type { EventContext, Recorded } from '../../../src/domain/recorded.ts'
import { scenarios } from './decider.ts'

/** The instant `seconds` after the story begins. */
export const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString()

export const key: events.CommandKey = { domain: 'payments', commandId: '0192d3a4-0000-7000-8000-000000000001' }
export const stream = commandStream(key)

type Over<E> = Partial<Omit<E, 'type'>>

export const policy = (over: Partial<RetryPolicy> = {}): RetryPolicy => ({ ...defaultRetryPolicy, ...over })

export const error = (type: events.ErrorType, over: Partial<events.CommandError> = {}): events.CommandError => ({
  type,
  code: `CODE_${type}`,
  message: `it was ${type}`,
  ...over,
})

const sentFacts = {
  at: at(0),
  actor: 'shop',
  commandType: 'Charge',
  data: { amount: 5 },
  correlationId: 'order-7',
  causationId: null,
  replyTo: 'payments__replies',
  tenantId: null,
  ownerId: null,
  parentCommandId: null,
  retryCount: 0,
  policy: policy(),
} as const

// Events as they are in the log.

export const sent = (over: Over<events.CommandSent> = {}): events.CommandSent => ({
  ...sentFacts,
  ...over,
  type: 'CommandSent',
})

export const received = (attempt: number, over: Over<events.CommandReceived> = {}): events.CommandReceived => ({
  at: at(1),
  actor: 'worker:a',
  attempt,
  total: attempt,
  msgId: '1',
  leaseExpiresAt: at(31),
  lost: false,
  ...over,
  type: 'CommandReceived',
})

export const lost = (attempt: number, over: Over<events.CommandReceived> = {}): events.CommandReceived =>
  received(attempt, { actor: 'worker:unknown', leaseExpiresAt: over.at ?? at(1), lost: true, ...over })

export const failed = (attempt: number, over: Over<events.CommandFailed> = {}): events.CommandFailed => ({
  at: at(2),
  actor: 'worker:a',
  attempt,
  msgId: '1',
  error: error('TRANSIENT'),
  retryAt: at(12),
  ...over,
  type: 'CommandFailed',
})

export const parked = (
  attempt: number,
  reason: events.ParkingReason = 'PERMANENT',
  over: Over<events.CommandMovedToTroubleshooting> = {},
): events.CommandMovedToTroubleshooting => ({
  at: at(2),
  actor: 'worker:a',
  attempt,
  msgId: '1',
  reason,
  error: error(reason === 'EXHAUSTED' ? 'TRANSIENT' : reason),
  ...over,
  type: 'CommandMovedToTroubleshooting',
})

const ended = (attempt: number) => ({ at: at(2), actor: 'worker:a', attempt, msgId: '1' })

export const rejectedByRule = (
  attempt: number,
  over: Over<events.CommandRejectedByBusinessRule> = {},
): events.CommandRejectedByBusinessRule => ({
  ...ended(attempt),
  error: error('BUSINESS_RULE'),
  ...over,
  type: 'CommandRejectedByBusinessRule',
})

export const exhausted = (attempt: number, over: Over<events.CommandExhausted> = {}): events.CommandExhausted => ({
  ...ended(attempt),
  error: error('TRANSIENT'),
  ...over,
  type: 'CommandExhausted',
})

export const completed = (attempt: number, over: Over<events.CommandCompleted> = {}): events.CommandCompleted => ({
  ...ended(attempt),
  result: { charged: true },
  ...over,
  type: 'CommandCompleted',
})

export const canceled = (over: Over<events.CommandCanceled> = {}): events.CommandCanceled => ({
  at: at(1),
  actor: 'shop',
  reason: 'changed my mind',
  ...over,
  type: 'CommandCanceled',
})

export const rescheduled = (over: Over<events.CommandRescheduled> = {}): events.CommandRescheduled => ({
  at: at(1),
  actor: 'shop',
  runAt: at(3600),
  ...over,
  type: 'CommandRescheduled',
})

export const expired = (over: Over<events.CommandExpired> = {}): events.CommandExpired => ({
  at: at(60),
  actor: 'expiry',
  expiresAt: at(60),
  ...over,
  type: 'CommandExpired',
})

export const operatorRetried = (over: Over<events.OperatorRetried> = {}): events.OperatorRetried => ({
  at: at(100),
  actor: 'jane@example.com',
  resetAttempts: true,
  attempts: 0,
  archivedMsgId: '1',
  dataRevision: 0,
  ...over,
  type: 'OperatorRetried',
})

export const operatorCanceled = (over: Over<events.OperatorCanceled> = {}): events.OperatorCanceled => ({
  at: at(100),
  actor: 'jane@example.com',
  reason: 'a duplicate',
  ...over,
  type: 'OperatorCanceled',
})

export const operatorCompleted = (over: Over<events.OperatorCompleted> = {}): events.OperatorCompleted => ({
  at: at(100),
  actor: 'jane@example.com',
  resultData: { settledBy: 'hand' },
  ...over,
  type: 'OperatorCompleted',
})

export const operatorSnoozed = (over: Over<events.OperatorSnoozed> = {}): events.OperatorSnoozed => ({
  at: at(100),
  actor: 'jane@example.com',
  until: at(1000),
  reason: 'the bank is closed',
  parkedAt: at(2),
  parkedReason: 'PERMANENT',
  ...over,
  type: 'OperatorSnoozed',
})

const stays = { at: at(100), actor: 'jane@example.com', parkedAt: at(2), snoozedUntil: null } as const

export const operatorNoted = (over: Over<events.OperatorNoted> = {}): events.OperatorNoted => ({
  ...stays,
  parkedReason: 'PERMANENT',
  text: 'waits for the bank',
  number: 1,
  ...over,
  type: 'OperatorNoted',
})

export const operatorAssigned = (over: Over<events.OperatorAssigned> = {}): events.OperatorAssigned => ({
  ...stays,
  parkedReason: 'PERMANENT',
  assignee: 'jane@example.com',
  ...over,
  type: 'OperatorAssigned',
})

export const operatorTagged = (over: Over<events.OperatorTagged> = {}): events.OperatorTagged => ({
  ...stays,
  parkedReason: 'PERMANENT',
  tags: ['bank', 'eu'],
  ...over,
  type: 'OperatorTagged',
})

export const operatorEndedAttempt = (
  attempt: number,
  over: Over<events.OperatorEndedAttempt> = {},
): events.OperatorEndedAttempt => ({
  at: at(100),
  actor: 'jane@example.com',
  attempt,
  msgId: '1',
  reason: 'it hangs',
  error: error('ATTEMPT_ENDED', {
    code: 'ATTEMPT_ENDED',
    message: `an operator ended attempt ${attempt}: ${over.reason ?? 'it hangs'}`,
  }),
  ...over,
  type: 'OperatorEndedAttempt',
})

// Intents, with the values that cause the events above.

export const send = (over: Over<intents.Send> = {}): intents.Send => ({ ...sentFacts, ...over, type: 'Send' })

export const receive = (delivery: number, over: Over<intents.Receive> = {}): intents.Receive => ({
  at: at(1),
  actor: 'worker:a',
  msgId: '1',
  delivery,
  leaseExpiresAt: at(31),
  ...over,
  type: 'Receive',
})

export const succeed = (attempt: number, over: Over<intents.ReportSuccess> = {}): intents.ReportSuccess => ({
  at: at(2),
  actor: 'worker:a',
  attempt,
  result: { charged: true },
  ...over,
  type: 'ReportSuccess',
})

export const fail = (
  attempt: number,
  type: events.ErrorType = 'TRANSIENT',
  over: Over<intents.ReportFailure> = {},
): intents.ReportFailure => ({
  at: at(2),
  actor: 'worker:a',
  attempt,
  error: error(type),
  random: 0,
  ...over,
  type: 'ReportFailure',
})

export const cancel = (over: Over<intents.Cancel> = {}): intents.Cancel => ({
  at: at(1),
  actor: 'shop',
  reason: 'changed my mind',
  ...over,
  type: 'Cancel',
})

export const reschedule = (over: Over<intents.Reschedule> = {}): intents.Reschedule => ({
  at: at(1),
  actor: 'shop',
  runAt: at(3600),
  ...over,
  type: 'Reschedule',
})

export const expire = (over: Over<intents.Expire> = {}): intents.Expire => ({
  at: at(60),
  actor: 'expiry',
  ...over,
  type: 'Expire',
})

export const operatorRetry = (over: Over<intents.OperatorIntents['retry']> = {}): intents.OperatorIntents['retry'] => ({
  at: at(100),
  actor: 'jane@example.com',
  resetAttempts: true,
  ...over,
  type: 'OperatorRetry',
})

export const operatorCancel = (
  over: Over<intents.OperatorIntents['cancel']> = {},
): intents.OperatorIntents['cancel'] => ({
  at: at(100),
  actor: 'jane@example.com',
  reason: 'a duplicate',
  ...over,
  type: 'OperatorCancel',
})

export const operatorComplete = (
  over: Over<intents.OperatorIntents['complete']> = {},
): intents.OperatorIntents['complete'] => ({
  at: at(100),
  actor: 'jane@example.com',
  resultData: { settledBy: 'hand' },
  ...over,
  type: 'OperatorComplete',
})

export const operatorSnooze = (
  over: Over<intents.OperatorIntents['snooze']> = {},
): intents.OperatorIntents['snooze'] => ({
  at: at(100),
  actor: 'jane@example.com',
  until: at(1000),
  reason: 'the bank is closed',
  ...over,
  type: 'OperatorSnooze',
})

const asked = { at: at(100), actor: 'jane@example.com' }

export const operatorNote = (over: Over<intents.OperatorIntents['note']> = {}): intents.OperatorIntents['note'] => ({
  ...asked,
  text: 'waits for the bank',
  ...over,
  type: 'OperatorNote',
})

export const operatorAssign = (
  over: Over<intents.OperatorIntents['assign']> = {},
): intents.OperatorIntents['assign'] => ({ ...asked, assignee: 'jane@example.com', ...over, type: 'OperatorAssign' })

export const operatorTag = (over: Over<intents.OperatorIntents['tag']> = {}): intents.OperatorIntents['tag'] => ({
  ...asked,
  tags: ['bank', 'eu'],
  ...over,
  type: 'OperatorTag',
})

export const operatorEndAttempt = (
  over: Over<intents.OperatorIntents['endAttempt']> = {},
): intents.OperatorIntents['endAttempt'] => ({
  at: at(100),
  actor: 'jane@example.com',
  reason: 'it hangs',
  ...over,
  type: 'OperatorEndAttempt',
})

/** The shortest history that ends in each status. */
export const historyOf: Readonly<Record<CommandStatus | 'NONE', readonly events.CommandEvent[]>> = {
  NONE: [],
  PENDING: [sent()],
  IN_PROGRESS: [sent(), received(1)],
  COMPLETED: [sent(), received(1), completed(1)],
  FAILED: [sent(), received(1), rejectedByRule(1)],
  CANCELED: [sent(), canceled()],
  IN_TROUBLESHOOTING_QUEUE: [sent(), received(1), parked(1)],
}

export const context: EventContext = {
  commandType: 'Charge',
  correlationId: 'order-7',
  causationId: null,
  replyTo: 'payments__replies',
  tenantId: null,
}

/** A history as recorded events of one stream. */
export const recorded = (
  history: readonly events.CommandEvent[],
  over: Partial<EventContext> = {},
): readonly Recorded<events.CommandEvent>[] =>
  history.map((event, revision) => ({
    stream,
    revision,
    id: `0192d3a4-0000-7000-9000-${String(revision).padStart(12, '0')}`,
    event,
    context: { ...context, ...over },
  }))

export const given = scenarios(command)
