import type { CommandKey } from '../../domain/command/events.ts'
import type { ParkedAction } from '../../domain/command/operator-actions.ts'
import type { ActionFilter } from '../../domain/command/parking.ts'
import type { CampaignOptions } from '../acting/campaign-input.ts'
import type { Scope } from '../ports/authorization.ts'
import type { CommandPlan } from './dry-run.ts'

/** For actions that can be tried without effect. */
export interface DryRunOption {
  /** Changes nothing and returns what the action would do. Throws the same errors as the action. */
  readonly dryRun?: boolean
}

/** What each action of an operator on one command takes: `OperatorOptions['retry']`. */
export interface OperatorOptions {
  readonly retry: ActorOptions & {
    /** Default true: the command gets all its attempts again. False: it gets one more attempt. */
    readonly resetAttempts?: boolean
    /** Replaces the payload; the handler's codec must accept it. The log keeps the original and the difference. */
    readonly data?: unknown
    /** Why, for the audit. */
    readonly reason?: string
  }
  readonly cancel: ActorOptions & {
    /** Required; it goes into the reply to the sender. */
    readonly reason: string
  }
  readonly complete: ActorOptions & {
    /** Any JSON value; goes into the reply. Default null. */
    readonly resultData?: unknown
    /** Why, for the audit. */
    readonly reason?: string
  }
  readonly snooze: ActorOptions & {
    /** ISO 8601, at most a year from now. */
    readonly until: string
    readonly reason?: string
  }
  readonly note: ActorOptions & {
    /** Up to 2,000 characters. */
    readonly text: string
  }
  readonly assign: ActorOptions & {
    /** Up to 200 characters; null: nobody. */
    readonly assignee: string | null
  }
  readonly tag: ActorOptions & {
    /** Up to 20 of 50 characters, without commas; they replace those it has. */
    readonly tags: readonly string[]
  }
  readonly endAttempt: ActorOptions & {
    /** Required; operators see it at the parked command. */
    readonly reason: string
  }
}

/** What all of them take. */
export interface ActorOptions extends Scope, DryRunOption {
  /** Who does it, for the audit. */
  readonly operator: string
  /** The token of a dry run: the action is refused when the command has changed since, or the options are others. */
  readonly planToken?: string
}

/** The result of an action. */
export interface Acted<Status extends string> {
  readonly commandId: string
  readonly status: Status
  /** Of a dry run: what the action would do, and the token for doing exactly that. */
  readonly dryRun?: CommandPlan
  readonly planToken?: string
}

/** Each action of an operator, on one command. */
export interface OperatorCalls {
  /**
   * Sends a parked command again, with its payload or an edited one (`data`).
   * @throws CommandNotFoundError, InvalidOperationError (not parked), InvalidPayloadError
   * @example
   * await bus.troubleshooting.retry('payments', commandId, { operator: 'ann' })
   * const plan = await bus.troubleshooting.retry('payments', commandId, { operator: 'ann', dryRun: true })
   */
  readonly retry: OperatorCall<OperatorOptions['retry'], Acted<'PENDING'> & { readonly msgId: string | null }>
  /** Ends a parked command as CANCELED and replies to the sender. @throws CommandNotFoundError, InvalidOperationError */
  readonly cancel: OperatorCall<OperatorOptions['cancel'], Acted<'CANCELED'>>
  /** Ends a parked command as COMPLETED and replies to the sender. @throws CommandNotFoundError, InvalidOperationError */
  readonly complete: OperatorCall<OperatorOptions['complete'], Acted<'COMPLETED'>>
  /**
   * Leaves a parked command out of counts and alarms until an instant. It stays parked; any other action ends the snooze,
   * and a second snooze replaces it. @throws CommandNotFoundError, InvalidOperationError, InvalidInputError
   */
  readonly snooze: OperatorCall<OperatorOptions['snooze'], Acted<'IN_TROUBLESHOOTING_QUEUE'>>
  /**
   * Adds a note to a parked command; the audit has its text (`OPERATOR_NOTE`). The same note twice in a row by the same
   * operator is one. @throws CommandNotFoundError, InvalidOperationError, InvalidInputError
   */
  readonly note: OperatorCall<OperatorOptions['note'], Acted<'IN_TROUBLESHOOTING_QUEUE'>>
  /**
   * Says who takes care of a parked command. Assignee, tags and notes stay when it is retried and parks again.
   * @throws CommandNotFoundError, InvalidOperationError, InvalidInputError
   */
  readonly assign: OperatorCall<OperatorOptions['assign'], Acted<'IN_TROUBLESHOOTING_QUEUE'>>
  /** Replaces the tags of a parked command. @throws CommandNotFoundError, InvalidOperationError, InvalidInputError */
  readonly tag: OperatorCall<OperatorOptions['tag'], Acted<'IN_TROUBLESHOOTING_QUEUE'>>
  /**
   * Ends the attempt of a command that is IN_PROGRESS, and parks the command with code ATTEMPT_ENDED. Its worker aborts the
   * handler and frees the slot within a third of the lease; a later report of that attempt is ignored.
   * @throws CommandNotFoundError, InvalidOperationError (not IN_PROGRESS)
   */
  readonly endAttempt: OperatorCall<OperatorOptions['endAttempt'], Acted<'IN_TROUBLESHOOTING_QUEUE'>>
}

/** What an operator does to one command. */
export type OperatorCall<Options, Done> = (domain: string, commandId: string, options: Options) => Promise<Done>

/** An action on many parked commands: those of a filter (`{}` means all), or those named by id. */
export interface BulkActionOptions extends CampaignOptions {
  readonly action: ParkedAction
  readonly filter?: ActionFilter
  /** Up to 10,000; repeated ids count once. */
  readonly ids?: readonly CommandKey[]
  /** Who does it, for the audit. */
  readonly operator: string
  /** The token of a dry run: refused when anything it showed has changed. */
  readonly planToken?: string
  /** Only of `retry`: this many are retried first (oldest first), and the rest when all of these have completed. */
  readonly canary?: number
  /** Required for `cancel`, where it goes into the replies; otherwise optional, for the audit. */
  readonly reason?: string
  /** Only of `snooze`, and required: an ISO 8601 instant. */
  readonly until?: string
  /** Only of `note`, and required. */
  readonly text?: string
  /** Only of `assign`, and required; null: nobody. */
  readonly assignee?: string | null
  /** Only of `tag`, and required. */
  readonly tags?: readonly string[]
  /** Only of `complete`: any JSON value for the replies. Default null. */
  readonly resultData?: unknown
  /** Only of `retry`. Default true: commands get all their attempts again. */
  readonly resetAttempts?: boolean
  /** Only commands of this tenant; others count as unknown. Null or absent: all tenants. */
  readonly tenantId?: string | null
}
