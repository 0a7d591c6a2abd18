import type { Instant } from '../instant.ts'
import type { IntentBase } from '../intent-base.ts'
import type { Json } from '../json/json.ts'
import type { CommandError, CommandSent } from './events.ts'
import { type ActionDetails, type ActionName, operatorActions } from './operator-actions.ts'

export type Send = Omit<CommandSent, 'type'> & { readonly type: 'Send' }

/** What a worker says; its attempts' events name the build of its program. */
interface WorkerIntent extends IntentBase {
  readonly build?: string | undefined
}

/** A worker read the message; `delivery` is the queue's count of reads of this message (pgmq's read_ct). */
export interface Receive extends WorkerIntent {
  readonly type: 'Receive'
  readonly msgId: string
  readonly delivery: number
  readonly leaseExpiresAt: Instant
}

/** `receive` is the receipt of the same attempt, when it may not be in the log yet: it becomes part of the outcome. */
export interface ReportSuccess extends WorkerIntent {
  readonly type: 'ReportSuccess'
  readonly attempt: number
  readonly result: Json
  readonly receive?: Receive
}

/** The error's type decides: TRANSIENT is tried again, BUSINESS_RULE ends the command, PERMANENT and others park it. */
export interface ReportFailure extends WorkerIntent {
  readonly type: 'ReportFailure'
  readonly attempt: number
  readonly error: CommandError
  /** The worker gave the attempt up, not the handler: the command may be tried again at once. */
  readonly givenUp?: {
    /** False: the attempt does not count towards the command's limit. */
    readonly counts: boolean
  }
  /** In [0, 1): see `waitAfter`. */
  readonly random: number
}

export interface Cancel extends IntentBase {
  readonly type: 'Cancel'
  readonly reason: string | null
}

/** `runAt` may have passed: then it runs at once. */
export interface Reschedule extends IntentBase {
  readonly type: 'Reschedule'
  readonly runAt: Instant
}

/** Cancels what nobody has begun in time, as of `at`; changes nothing else. */
export interface Expire extends IntentBase {
  readonly type: 'Expire'
}

/** What operators ask for, each with the members that the table of their actions names. */
export type OperatorIntents = {
  readonly [A in ActionName]: IntentBase & ActionDetails[A] & { readonly type: (typeof operatorActions)[A]['intent'] }
}

export type OperatorIntent = OperatorIntents[ActionName]

export type CommandIntent =
  | Send
  | Receive
  | ReportSuccess
  | ReportFailure
  | Cancel
  | Reschedule
  | Expire
  | OperatorIntent

/** The intent of an action, by what it needs. */
export const operatorIntent = <A extends ActionName>(
  action: A,
  details: ActionDetails[A],
  base: IntentBase,
): OperatorIntent => ({ ...base, type: operatorActions[action].intent, ...details }) as OperatorIntent
