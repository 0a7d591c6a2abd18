import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'
import type { CommandError } from './events.ts'
import { type ActionDetails, type ActionName, operatorActions } from './operator-actions.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** Time and actor are facts of the caller: the domain has no clock. */
export interface Asked {
  readonly at: Instant
  readonly actor: string
}

export interface Send extends Asked {
  readonly type: 'Send'
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
  readonly traceparent?: string
}

/** A worker read the message; `delivery` is the queue's own count of reads of this message (pgmq's read_ct). */
export interface Receive extends Asked {
  readonly type: 'Receive'
  readonly msgId: string
  readonly delivery: number
  readonly leaseExpiresAt: Instant
}

/** `receive` is the receipt of the same attempt, where it is not known to be in the log yet: it goes into the outcome. */
export interface ReportSuccess extends Asked {
  readonly type: 'ReportSuccess'
  readonly attempt: number
  readonly result: Json
  readonly receive?: Receive
}

/** The error's type decides: TRANSIENT is tried again, PERMANENT parks, BUSINESS_RULE ends the command, others park. */
export interface ReportFailure extends Asked {
  readonly type: 'ReportFailure'
  readonly attempt: number
  readonly error: CommandError
  /** The worker gave the attempt up, not the handler: the command may be tried again at once. */
  readonly givenUp?: {
    /** False: the attempt takes none of those the command has. */
    readonly counts: boolean
  }
  /** In [0, 1): see `waitAfter`. */
  readonly random: number
}

export interface Cancel extends Asked {
  readonly type: 'Cancel'
  readonly reason: string | null
}

/** What operators ask for, each with the members that the table of their actions names. */
export type OperatorIntents = {
  readonly [A in ActionName]: Asked & ActionDetails[A] & { readonly type: (typeof operatorActions)[A]['intent'] }
}

export type OperatorIntent = OperatorIntents[ActionName]

export type CommandIntent = Send | Receive | ReportSuccess | ReportFailure | Cancel | OperatorIntent

/** The intent of an action, by what it needs. */
export const operatorIntent = <A extends ActionName>(
  action: A,
  details: ActionDetails[A],
  asked: Asked,
): OperatorIntent => ({ ...asked, type: operatorActions[action].intent, ...details }) as OperatorIntent
