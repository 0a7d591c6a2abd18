import type { CommandKey } from '../../domain/command/events.ts'
import type { ParkedAction } from '../../domain/command/operator-actions.ts'
import type { ActionFilter } from '../ports/action-store.ts'
import type { Scope } from '../ports/authorization.ts'
import type { CommandPlan } from './dry-run.ts'

/** Only look what would happen. */
export interface DryRunOption {
  /** Nothing is done; the answer says what would be. It is refused where the action itself would be. */
  readonly dryRun?: boolean
}

export interface OperatorRetryOptions extends Scope, DryRunOption {
  /** Who does it, for the audit. */
  readonly operator: string
  /** Default true: the command gets all its attempts again. False: the count goes on, and one more attempt is made. */
  readonly resetAttempts?: boolean
  /** Replaces the payload; the original stays in the log, and the difference is noted. The handler's codec has to take it. */
  readonly data?: unknown
}

export interface OperatorCancelOptions extends Scope, DryRunOption {
  readonly operator: string
  /** Required: the sender is told. */
  readonly reason: string
}

export interface OperatorCompleteOptions extends Scope, DryRunOption {
  readonly operator: string
  /** Any JSON value; goes into the reply. Default null. */
  readonly resultData?: unknown
}

export interface OperatorSnoozeOptions extends Scope, DryRunOption {
  readonly operator: string
  /** ISO 8601, by a year ahead at the most. */
  readonly until: string
  readonly reason?: string
}

export interface EndAttemptOptions extends Scope, DryRunOption {
  readonly operator: string
  /** Required: whoever finds the parked command wants to know. */
  readonly reason: string
}

/** What came of an action. */
export interface Acted<Status extends string> {
  readonly commandId: string
  readonly status: Status
  readonly dryRun?: CommandPlan
}

/** Each action of an operator, on one command. */
export interface OperatorCalls {
  /** Sends the original (or an edited) payload again. @throws CommandNotFoundError, InvalidOperationError */
  readonly retry: OperatorCall<OperatorRetryOptions, Acted<'PENDING'> & { readonly msgId: string | null }>
  /** @throws CommandNotFoundError, InvalidOperationError */
  readonly cancel: OperatorCall<OperatorCancelOptions, Acted<'CANCELED'>>
  /** @throws CommandNotFoundError, InvalidOperationError */
  readonly complete: OperatorCall<OperatorCompleteOptions, Acted<'COMPLETED'>>
  /**
   * Leaves a parked command out of counts and alarms until an instant; it stays parked, and the other actions end that.
   * Another instant replaces the first. @throws CommandNotFoundError, InvalidOperationError, InvalidInputError
   */
  readonly snooze: OperatorCall<OperatorSnoozeOptions, Acted<'IN_TROUBLESHOOTING_QUEUE'>>
  /**
   * Ends the attempt of a command that is IN_PROGRESS: parks it as ATTEMPT_ENDED. Its worker stops the handler and frees the
   * slot within a third of its lease; what that attempt still reports does not count.
   * @throws CommandNotFoundError, InvalidOperationError (not IN_PROGRESS)
   */
  readonly endAttempt: OperatorCall<EndAttemptOptions, Acted<'IN_TROUBLESHOOTING_QUEUE'>>
}

export type OperatorCall<Options, Done> = (domain: string, commandId: string, options: Options) => Promise<Done>

/** What is to be done to many parked commands: those of a filter (`{}` means all), or those named by id. */
export interface BulkActionOptions {
  readonly action: ParkedAction
  readonly filter?: ActionFilter
  /** Up to 10,000; each is done once. */
  readonly ids?: readonly CommandKey[]
  /** Who does it, for the audit. */
  readonly operator: string
  /** Only of `retry`: so many are retried first, oldest first, and the rest when all of them have completed. */
  readonly canary?: number
  /** Of `cancel`, and required there: the senders are told. Of `snooze`. */
  readonly reason?: string
  /** Only of `snooze`, and required there: an ISO 8601 instant. */
  readonly until?: string
  /** Only of `complete`: any JSON value; goes into the replies. Default null. */
  readonly resultData?: unknown
  /** Only of `retry`. Default true: commands get all their attempts again. */
  readonly resetAttempts?: boolean
  /** Whose commands may be touched; others are as good as unknown. Null or absent: everybody's. */
  readonly tenantId?: string | null
}
