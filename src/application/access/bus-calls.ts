import type { Explained } from '../../domain/explain/index.ts'
import type { Alerts } from '../alerts/alerts.ts'
import type { UndeliveredReplies } from '../commands/undelivered-replies.ts'
import type { Causes } from '../flow/causes.ts'
import type { Lanes } from '../flow/lanes.ts'
import type { Limits } from '../flow/limits.ts'
import type { Pauses } from '../flow/pauses.ts'
import type { ScheduleCalls } from '../flow/schedules.ts'
import type { Attempt } from '../investigation/attempts.ts'
import type { CausalTree, ParkedAtOptions, ParkedAtPage } from '../investigation/investigate.ts'
import type { CommandHistory, HistoryOptions } from '../investigation/read-history.ts'
import type { Operation } from '../operations/operation-view.ts'
import type { OperationFilter, OperationUser, StartOperation } from '../operations/operations.ts'
import type { ActionListFilter } from '../ports/action-store.ts'
import type {
  AuditEntry,
  AuditFilter,
  CommandDetail,
  CommandFilter,
  CommandView,
  GroupFilter,
  Page,
  TroubleshootingFilter,
  TroubleshootingGroup,
  TroubleshootingItem,
} from '../ports/reading/command-queries.ts'
import type { CauseFilter } from '../ports/reading/explain.ts'
import type { OwedCalls } from '../replies/owed-replies.ts'
import type { Credits } from '../runs/credits.ts'
import type { WorkflowCalls } from '../runs/workflow-calls.ts'
import type { Search } from '../search/search.ts'
import type { Views } from '../search/views.ts'
import type { Strangers } from '../strangers/strangers.ts'
import type { ActionView, GetActionOptions } from '../troubleshooting/bulk-action.ts'
import type { ControlOptions } from '../troubleshooting/control-action.ts'
import type { ActionPlan } from '../troubleshooting/dry-run-action.ts'
import type { CancelOptions, RescheduleOptions } from '../troubleshooting/operate-command.ts'
import type { BulkActionOptions, OperatorCalls } from '../troubleshooting/operator-options.ts'
import type { Rehearsal, RehearseOptions } from '../troubleshooting/rehearse-command.ts'
import type { Figures } from '../watching/figures.ts'
import type { WorkerCalls } from '../watching/workers.ts'

/**
 * The calls about commands that were sent. The library and the command line use them directly; `as(identity)` adds
 * permissions and the tenant.
 */
export interface BusCalls extends Pauses {
  /** The command, or null. */
  readonly getCommand: (domain: string, commandId: string) => Promise<CommandDetail | null>
  /** Commands with this id in any domain. */
  readonly findCommand: (commandId: string) => Promise<readonly CommandDetail[]>
  /** Commands that match all the filters, newest first, in pages. @throws InvalidInputError */
  readonly queryCommands: (filter?: CommandFilter) => Promise<Page<CommandView>>
  /** The audit of a command, oldest first, or only its entries of one `eventType`; empty for an unknown id. */
  readonly getAuditTrail: (domain: string, commandId: string, filter?: AuditFilter) => Promise<readonly AuditEntry[]>
  /**
   * The attempts of a command, oldest first, each with its worker, its times and its error; from the log.
   * @throws CommandNotFoundError, InvalidInputError
   */
  readonly getAttempts: (
    domain: string,
    commandId: string,
    options?: { readonly tenantId?: string },
  ) => Promise<readonly Attempt[]>
  /**
   * The history of a command: for each event the state after it, and what changed. `at` ends it at a revision or an
   * instant; `from` and `to` compare two moments. @throws CommandNotFoundError, InvalidInputError
   */
  readonly getHistory: (domain: string, commandId: string, options?: HistoryOptions) => Promise<CommandHistory>
  /**
   * The causal tree of a correlation id; each item comes after its cause. It has at most 1,000 items, and failed and parked
   * commands take precedence; the rest is counted by status. A run's id is the correlation id of its jobs: it gives the
   * run, its charges and refunds, and the commands of its jobs.
   */
  readonly getCorrelation: (correlationId: string, options?: { readonly tenantId?: string }) => Promise<CausalTree>
  /** Cancels a command for its sender, while it is PENDING. @throws CommandNotFoundError, InvalidOperationError */
  readonly cancel: (
    domain: string,
    commandId: string,
    options?: CancelOptions,
  ) => Promise<{ readonly commandId: string; readonly status: 'CANCELED' }>
  /**
   * Moves a command that nobody has begun to another time: `delaySeconds: 0` runs it at once. Gives the command as it is then.
   * @throws CommandNotFoundError; InvalidOperationError: it has begun, has ended, or a worker holds its message
   */
  readonly reschedule: (domain: string, commandId: string, options: RescheduleOptions) => Promise<CommandDetail>
  /** Who works, and for which commands there is nobody. */
  readonly workers: WorkerCalls
  /** At most so many commands of a lane run at once, in the order of sending. */
  readonly lanes: Lanes
  /** Rules that put commands into lanes when they are sent. */
  readonly limits: Limits
  readonly troubleshooting: OperatorCalls & {
    /**
     * Parked commands, newest first; of all domains without `domain`. `total` is counted for the first page, and the same on those
     * after it; with `q`, `assignee` or `tag` it is counted up to 10,000.
     */
    readonly list: (filter?: TroubleshootingFilter) => Promise<Page<TroubleshootingItem> & { readonly total: number }>
    /** The commands that were parked at an instant (default: now), in their state then; read from the log. */
    readonly listAt: (options?: ParkedAtOptions) => Promise<ParkedAtPage>
    /** Parked commands grouped by domain, type, error code and the place that threw the error: the 500 largest groups. */
    readonly groups: (filter?: GroupFilter) => Promise<readonly TroubleshootingGroup[]>
    /**
     * What the failed commands of a cause have in common that the succeeded ones of the same type have not: a value, a
     * member or its type, a range, a tenant, a worker, a build or a time. Compares at most 1,000 of each, from about the same
     * time; best first, and nothing when nothing stands out. @throws InvalidInputError
     * @example
     * const { findings } = await bus.troubleshooting.explain({ domain: 'payments', commandType: 'Charge', errorCode: 'DOWN' })
     * // findings[0]?.sentence: country is "NO" in 98 % of the failed commands, and in 2 % of the succeeded ones.
     */
    readonly explain: (cause: CauseFilter) => Promise<Explained>
    /**
     * Shows what a retry would do: runs the registered handler on a parked command, or on an edited payload, in a
     * transaction that is rolled back. Handlers of this bus's workers and of its option `handlers` run in this process,
     * and can crash it. @throws CommandNotFoundError, InvalidOperationError (not parked, or not rehearsable)
     */
    readonly rehearse: (domain: string, commandId: string, options?: RehearseOptions) => Promise<Rehearsal>
    /** The domains in which `rehearse` knows handlers, in alphabetical order. @throws UnavailableError */
    readonly rehearsable: () => Promise<readonly string[]>
  }
  /**
   * Replies that senders wait for; and those that could not be put on their queue, which are kept: each can be delivered once
   * more.
   */
  readonly replies: UndeliveredReplies & OwedCalls
  /** By which members of their payloads commands can be found, with the filter `payload` of `queryCommands`. */
  readonly search: Search
  /** Named filters of lists. */
  readonly views: Views
  /** Notes, an assignee and tags on why commands are parked: a domain, type and error code. */
  readonly causes: Causes
  /** Webhooks that tell when something is wrong. */
  readonly alerts: Alerts
  /** Messages on command queues that no command of this bus sent. They are kept, and can be adopted or dropped. */
  readonly strangers: Strangers
  /** Operations: commands of domain `operations` that belong to a user, with automatic and manual retries. */
  readonly operations: {
    /** Starts an operation of a user: a command of domain `operations`. @throws InvalidInputError */
    readonly start: (user: OperationUser, start: StartOperation) => Promise<Operation>
    /** @throws OperationNotFoundError, ForbiddenError */
    readonly get: (user: OperationUser, id: string) => Promise<Operation>
    /** The user's operations, newest first. @throws InvalidInputError */
    readonly list: (user: OperationUser, filter?: OperationFilter) => Promise<Page<Operation>>
    /** A new operation for a failed one; a second call returns the same. @throws also OperationNotRetriableError */
    readonly retry: (user: OperationUser, id: string) => Promise<Operation>
  }
  /** Actions on many parked commands at once. */
  readonly actions: {
    /**
     * Starts an action on all parked commands that match, in the background of processes that run `actions.run`. @throws
     * InvalidInputError, PlanChangedError
     */
    readonly start: (options: BulkActionOptions) => Promise<ActionView>
    /** The action, or null. */
    readonly get: (id: string, options?: GetActionOptions) => Promise<ActionView | null>
    /** Actions, newest first, in pages. @throws InvalidInputError */
    readonly list: (filter?: ActionListFilter) => Promise<Page<ActionView>>
    /** Sends nothing more, until it is resumed. @throws ActionNotFoundError, InvalidOperationError (it is over) */
    readonly pause: (id: string, options: ControlOptions) => Promise<ActionView>
    /** Goes on with a paused action. @throws ActionNotFoundError */
    readonly resume: (id: string, options: Omit<ControlOptions, 'reason'>) => Promise<ActionView>
    /** Ends an action after its present piece; what is left stays parked. @throws ActionNotFoundError */
    readonly stop: (id: string, options: ControlOptions) => Promise<ActionView>
    /** What an action would do, by the same decisions; changes nothing. */
    readonly dryRun: (options: BulkActionOptions) => Promise<ActionPlan>
  }
  readonly runs: WorkflowCalls
  /** What tenants pay runs with: a ledger with a monthly and a purchased pool. */
  readonly credits: Credits
  /** What happens to commands, by type, queue and cause, with a history of seven days. */
  readonly figures: Figures
  /** Commands at the times of a cron, or every so many seconds. */
  readonly schedules: ScheduleCalls
}
