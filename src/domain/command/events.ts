import type { OtherPriority } from '../flow/priority.ts'
import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'
import type { Change } from '../json/json-diff.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** A command's domain and its id there. Together they identify its stream. */
export interface CommandKey {
  readonly domain: string
  readonly commandId: string
}

/** Errors after which no attempt follows: the command is parked with the same word as its reason. */
const fatal = ['PERMANENT', 'LEASE_LOST', 'NO_HANDLER', 'INVALID_PAYLOAD', 'ATTEMPT_ENDED', 'TAMPERED'] as const

export const parkingReasons = [...fatal, 'EXHAUSTED'] as const
export type ParkingReason = (typeof parkingReasons)[number]

export const errorTypes = [...fatal, 'TRANSIENT', 'BUSINESS_RULE'] as const
export type ErrorType = (typeof errorTypes)[number]

/** Why an attempt did not succeed, as the log keeps it. */
export interface CommandError {
  readonly type: ErrorType
  readonly code: string
  readonly message: string
  readonly details?: Json
  /** Where it was thrown. Shown in the history only, never in a reply or a read table. */
  readonly stack?: string
  /** The first frame of the user's own code, as in `src/charge.ts:41 in charge`: parked commands are grouped by it. */
  readonly frame?: string
  /** Its causes and the errors it collects, each before its own causes. Shown in the history only. */
  readonly causes?: readonly ErrorCause[]
}

/** An error behind an error (`cause`). */
export interface ErrorCause {
  /** The `cause` of an error, or a `member` of an AggregateError. */
  readonly kind: 'cause' | 'member'
  /** 1: of the error itself; 2: of the last entry of depth 1 before it; and so on. */
  readonly depth: number
  readonly code: string
  readonly message: string
  readonly stack?: string
}

/** When it happened and who did it: a sender, `worker:<id>` or an operator. */
interface Fact {
  readonly at: Instant
  readonly actor: string
}

/** What a worker reports of an attempt. */
interface AttemptFact extends Fact {
  /** The version or commit of the worker's program, where it is known. */
  readonly build?: string
}

/** The message of another program that became a command. */
export interface Adopted {
  readonly queue: string
  readonly msgId: string
  /** How often others had read it: the count of attempts goes on after these. */
  readonly reads: number
  /** When it was made, by its own account. */
  readonly createdAt?: Instant
  /** What it said, where the command could not keep it. */
  readonly commandId?: string
  readonly correlationId?: string
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
  /** Not before; without it, at once. */
  readonly runAt?: Instant
  /** Without it, normal. */
  readonly priority?: OtherPriority
  /** If nobody has begun it by then, it is canceled. */
  readonly expiresAt?: Instant
  /** Its lane: its key, or the name that the rule `limit` made. */
  readonly lane?: string
  readonly limit?: string
  /** The W3C trace context it was sent in, where there was one. */
  readonly traceparent?: string
  /** It was made of a message that another program had put on the queue. */
  readonly adopted?: Adopted
}

/**
 * A worker holds the message: attempt `attempt` of this round, `total` of the command's whole life.
 * `lost`: known only from the queue's count of reads, as its worker left no other trace.
 */
export interface CommandReceived extends AttemptFact {
  readonly type: 'CommandReceived'
  readonly attempt: number
  readonly total: number
  readonly msgId: string
  readonly leaseExpiresAt: Instant
  readonly lost: boolean
}

/** `uncounted`: the worker could not go on; the next attempt has the same number. */
export interface CommandFailed extends AttemptFact {
  readonly type: 'CommandFailed'
  readonly attempt: number
  readonly msgId: string
  readonly error: CommandError
  readonly retryAt: Instant
  readonly uncounted?: true
}

export interface CommandMovedToTroubleshooting extends AttemptFact {
  readonly type: 'CommandMovedToTroubleshooting'
  readonly attempt: number
  readonly msgId: string
  readonly reason: ParkingReason
  readonly error: CommandError
}

export interface CommandRejectedByBusinessRule extends AttemptFact {
  readonly type: 'CommandRejectedByBusinessRule'
  readonly attempt: number
  readonly msgId: string
  readonly error: CommandError
}

export interface CommandExhausted extends AttemptFact {
  readonly type: 'CommandExhausted'
  readonly attempt: number
  readonly msgId: string
  readonly error: CommandError
}

/** The rest of a `CommandReceived`, for an attempt that ended before one was written; the outcome has worker and message. */
export interface Receipt {
  readonly at: Instant
  readonly total: number
  readonly leaseExpiresAt: Instant
}

/** `receipt`: receipt and success are one event, as the attempt ended before it had to be shown as running. */
export interface CommandCompleted extends AttemptFact {
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

/** It runs at another time than it was to: at `runAt`, or at once when that has passed. Nobody has begun it. */
export interface CommandRescheduled extends Fact {
  readonly type: 'CommandRescheduled'
  readonly runAt: Instant
}

/** Why such a command is canceled, in its history and its reply. */
export const EXPIRED = 'EXPIRED'

/** Nobody had begun it by `expiresAt`. */
export interface CommandExpired extends Fact {
  readonly type: 'CommandExpired'
  readonly expiresAt: Instant
}

/**
 * `attempts` is where the count goes on: at 0, or where it was with `resetAttempts: false`. `archivedMsgId` is the message
 * whose archived payload is sent again; `dataRevision` is the event that holds that payload (this one, when `data` is set).
 * `fromLog`: the message is made from the log, because the archived one was changed.
 * `diff` is what the operator's edit changed in the payload; events of older versions have none.
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
  readonly reason?: string
}

export interface OperatorCanceled extends Fact {
  readonly type: 'OperatorCanceled'
  readonly reason: string
}

export interface OperatorCompleted extends Fact {
  readonly type: 'OperatorCompleted'
  readonly resultData: Json
  readonly reason?: string
}

/**
 * The command stays parked, and is left out of counts and alarms until then. No event ends that. The event repeats when and
 * why the command was parked, because a row is made from its last event alone.
 */
export interface OperatorSnoozed extends Fact {
  readonly type: 'OperatorSnoozed'
  readonly until: Instant
  readonly reason: string | null
  readonly parkedAt: Instant
  readonly parkedReason: ParkingReason
}

/** What operators write down about a parked command. It stays parked as it was, which the event repeats as a snooze does. */
interface Care extends Fact {
  readonly parkedAt: Instant
  readonly parkedReason: ParkingReason
  readonly snoozedUntil: Instant | null
}

export interface OperatorNoted extends Care {
  readonly type: 'OperatorNoted'
  readonly text: string
  /** The first note of a command is 1. */
  readonly number: number
}

/** Null: nobody takes care of it. */
export interface OperatorAssigned extends Care {
  readonly type: 'OperatorAssigned'
  readonly assignee: string | null
}

/** All tags that the command has now. */
export interface OperatorTagged extends Care {
  readonly type: 'OperatorTagged'
  readonly tags: readonly string[]
}

/** An operator ended an attempt whose handler still ran. The command is parked, and a later report of that attempt is stale. */
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
  | CommandRescheduled
  | CommandExpired
  | OperatorRetried
  | OperatorCanceled
  | OperatorCompleted
  | OperatorSnoozed
  | OperatorNoted
  | OperatorAssigned
  | OperatorTagged
  | OperatorEndedAttempt

export type CommandEventType = CommandEvent['type']
