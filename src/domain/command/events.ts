import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'
import type { Change } from '../json/json-diff.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** Which domain a command belongs to and its id there; together the identity of its stream. */
export interface CommandKey {
  readonly domain: string
  readonly commandId: string
}

export type ParkingReason =
  | 'PERMANENT'
  | 'EXHAUSTED'
  | 'LEASE_LOST'
  | 'NO_HANDLER'
  | 'INVALID_PAYLOAD'
  | 'ATTEMPT_ENDED'
  | 'TAMPERED'

export type ErrorType =
  | 'TRANSIENT'
  | 'PERMANENT'
  | 'BUSINESS_RULE'
  | 'LEASE_LOST'
  | 'NO_HANDLER'
  | 'INVALID_PAYLOAD'
  | 'ATTEMPT_ENDED'
  | 'TAMPERED'

export interface CommandError {
  readonly type: ErrorType
  readonly code: string
  readonly message: string
  readonly details?: Json
  /** Where it was thrown: for those who may see the history. Never in a reply or in a read row. */
  readonly stack?: string
  /** The causes below it and the errors it collects, each one before its own. As `stack`, for the history only. */
  readonly causes?: readonly ErrorCause[]
}

export interface ErrorCause {
  /** The `cause` of the error it belongs to, or one of the `member`s of an AggregateError. */
  readonly kind: 'cause' | 'member'
  /** 1: it belongs to the error itself; 2: to one of depth 1 before it; and so on. */
  readonly depth: number
  readonly code: string
  readonly message: string
  readonly stack?: string
}

/** When it happened and who did it: a sender, `worker:<id>` or an operator. Every event has both. */
interface Fact {
  readonly at: Instant
  readonly actor: string
}

export interface CommandSent extends Fact {
  readonly type: 'CommandSent'
  readonly commandType: string
  readonly data: Json
  readonly correlationId: string
  readonly causationId: string | null
  readonly replyTo: string | null
  readonly tenantId: string | null
  readonly ownerId: string | null
  readonly parentCommandId: string | null
  readonly retryCount: number
  readonly policy: RetryPolicy
  /** The W3C trace context it was sent in, where there was one. */
  readonly traceparent?: string
}

/**
 * A worker holds the message: attempt `attempt` of this round, `total` of the command's whole life.
 * `lost` marks an attempt known only from the queue's own count: its worker left no other trace.
 */
export interface CommandReceived extends Fact {
  readonly type: 'CommandReceived'
  readonly attempt: number
  readonly total: number
  readonly msgId: string
  readonly leaseExpiresAt: Instant
  readonly lost: boolean
}

/** `uncounted`: its worker could not go on, and the next attempt has the same number. */
export interface CommandFailed extends Fact {
  readonly type: 'CommandFailed'
  readonly attempt: number
  readonly msgId: string
  readonly error: CommandError
  readonly retryAt: Instant
  readonly uncounted?: true
}

export interface CommandMovedToTroubleshooting extends Fact {
  readonly type: 'CommandMovedToTroubleshooting'
  readonly attempt: number
  readonly msgId: string
  readonly reason: ParkingReason
  readonly error: CommandError
}

export interface CommandRejectedByBusinessRule extends Fact {
  readonly type: 'CommandRejectedByBusinessRule'
  readonly attempt: number
  readonly msgId: string
  readonly error: CommandError
}

export interface CommandExhausted extends Fact {
  readonly type: 'CommandExhausted'
  readonly attempt: number
  readonly msgId: string
  readonly error: CommandError
}

/** What a `CommandReceived` would have said, where the attempt ended before one was written: worker and message are the outcome's. */
export interface Receipt {
  readonly at: Instant
  readonly total: number
  readonly leaseExpiresAt: Instant
}

/** `receipt` is there when receipt and success are one event: the attempt ended before it had to be shown as running. */
export interface CommandCompleted extends Fact {
  readonly type: 'CommandCompleted'
  readonly attempt: number
  readonly msgId: string
  readonly result: Json
  readonly receipt?: Receipt
}

export interface CommandCanceled extends Fact {
  readonly type: 'CommandCanceled'
  readonly reason: string | null
}

/**
 * `attempts` is where the count goes on: 0, or what it was with `resetAttempts: false`. `archivedMsgId` is the message
 * whose archived payload is sent again; `dataRevision` the event that holds that payload (this one, when `data` is set).
 * `fromLog`: the message is made from the log, because the archived one was changed.
 * `diff` is what the operator's edit changed in the payload before it; events written before there was one have none.
 */
export interface OperatorRetried extends Fact {
  readonly type: 'OperatorRetried'
  readonly resetAttempts: boolean
  readonly attempts: number
  readonly archivedMsgId: string
  readonly dataRevision: number
  readonly fromLog?: true
  readonly data?: Json
  readonly diff?: readonly Change[]
}

export interface OperatorCanceled extends Fact {
  readonly type: 'OperatorCanceled'
  readonly reason: string
}

export interface OperatorCompleted extends Fact {
  readonly type: 'OperatorCompleted'
  readonly resultData: Json
}

/**
 * It stays parked, and leaves counts and alarms until then; nothing has to happen for it to be back. What a row says of a
 * parked command is told again, as rows are made from one event alone.
 */
export interface OperatorSnoozed extends Fact {
  readonly type: 'OperatorSnoozed'
  readonly until: Instant
  readonly reason: string | null
  readonly parkedAt: Instant
  readonly parkedReason: ParkingReason
}

/** The operator did not wait for the handler any longer: the command is parked, and what that attempt reports is stale. */
export interface OperatorEndedAttempt extends Fact {
  readonly type: 'OperatorEndedAttempt'
  readonly attempt: number
  readonly msgId: string
  readonly reason: string
  readonly error: CommandError
}

export type CommandEvent =
  | CommandSent
  | CommandReceived
  | CommandFailed
  | CommandMovedToTroubleshooting
  | CommandRejectedByBusinessRule
  | CommandExhausted
  | CommandCompleted
  | CommandCanceled
  | OperatorRetried
  | OperatorCanceled
  | OperatorCompleted
  | OperatorSnoozed
  | OperatorEndedAttempt

export type CommandEventType = CommandEvent['type']
