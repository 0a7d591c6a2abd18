import type { UndeliveredReplies } from '../commands/undelivered-replies.ts'
import type { CausalTree, ParkedAtOptions, ParkedAtPage } from '../investigation/investigate.ts'
import type { CommandHistory, HistoryOptions } from '../investigation/read-history.ts'
import type { Operation } from '../operations/operation-view.ts'
import type { OperationFilter, Owner, StartOperation } from '../operations/operations.ts'
import type { ActionListFilter } from '../ports/action-store.ts'
import type {
  AuditEntry,
  AuditFilter,
  CommandDetail,
  CommandFilter,
  CommandView,
  Page,
  TroubleshootingFilter,
  TroubleshootingGroup,
  TroubleshootingItem,
} from '../ports/reading/command-queries.ts'
import type { Credits } from '../runs/credits.ts'
import type { WorkflowCalls } from '../runs/workflow-calls.ts'
import type { ActionView, GetActionOptions, StopActionOptions } from '../troubleshooting/bulk-action.ts'
import type { ActionPlan } from '../troubleshooting/dry-run-action.ts'
import type { CancelOptions } from '../troubleshooting/operate-command.ts'
import type { BulkActionOptions, OperatorCalls } from '../troubleshooting/operator-options.ts'
import type { Rehearsal, RehearseOptions } from '../troubleshooting/rehearse-command.ts'

/**
 * What may be asked of the bus about commands that were sent, whoever asks: the library and the command line as they are,
 * a caller of `as(identity)` within what the identity may do.
 */
export interface BusCalls {
  /** The command, or null. */
  readonly getCommand: (domain: string, commandId: string) => Promise<CommandDetail | null>
  /** Commands with this id in any domain. */
  readonly findCommand: (commandId: string) => Promise<readonly CommandDetail[]>
  /** All filters combine; newest first, in pages. */
  readonly queryCommands: (filter?: CommandFilter) => Promise<Page<CommandView>>
  /** What happened to a command, oldest first, or what of it is called `eventType`; empty for an unknown id. */
  readonly getAuditTrail: (domain: string, commandId: string, filter?: AuditFilter) => Promise<readonly AuditEntry[]>
  /**
   * What each event made of a command: its state after it, and what changed. Ends at a revision or an instant with `at`;
   * compares two moments with `from` and `to`. @throws CommandNotFoundError
   */
  readonly getHistory: (domain: string, commandId: string, options?: HistoryOptions) => Promise<CommandHistory>
  /**
   * Everything with a correlation id, and what caused what: a tree, each after what it came from. At most 1,000, what failed
   * or is parked first; the rest is counted by status. The id of a run is the correlation id of its jobs: it gives the run,
   * what it was charged and given back, and its jobs' commands.
   */
  readonly getCorrelation: (correlationId: string, options?: { readonly tenantId?: string }) => Promise<CausalTree>
  /** The sender's cancel, while the command is PENDING. @throws CommandNotFoundError, InvalidOperationError */
  readonly cancel: (
    domain: string,
    commandId: string,
    options?: CancelOptions,
  ) => Promise<{ readonly commandId: string; readonly status: 'CANCELED' }>
  readonly troubleshooting: OperatorCalls & {
    /** What is parked, newest first. Of all domains when `domain` is left out. */
    readonly list: (filter?: TroubleshootingFilter) => Promise<Page<TroubleshootingItem> & { readonly total: number }>
    /** What was parked at an instant (now, when it is left out), as it stood then; from the log. */
    readonly listAt: (options?: ParkedAtOptions) => Promise<ParkedAtPage>
    /** What is parked, by domain, type and error code: the 500 largest groups. */
    readonly groups: (
      filter?: Omit<TroubleshootingFilter, 'limit' | 'cursor'>,
    ) => Promise<readonly TroubleshootingGroup[]>
    /**
     * Runs the registered handler on a parked command, or on an edited payload, in a transaction that is rolled back: what
     * would a retry do? Handlers of this bus's workers, and of its option `handlers`, run in this process: one that takes
     * it down takes it down. @throws CommandNotFoundError, InvalidOperationError (not parked, or not to be rehearsed)
     */
    readonly rehearse: (domain: string, commandId: string, options?: RehearseOptions) => Promise<Rehearsal>
  }
  /** Replies that could not be put on their queue: they are kept, and can be delivered again, each once. */
  readonly replies: UndeliveredReplies
  /** Operations: commands of domain `operations` that belong to a user, with automatic retry and a retry by hand. */
  readonly operations: {
    readonly start: (owner: Owner, start: StartOperation) => Promise<Operation>
    /** @throws OperationNotFoundError, ForbiddenError */
    readonly get: (owner: Owner, id: string) => Promise<Operation>
    readonly list: (owner: Owner, filter?: OperationFilter) => Promise<Page<Operation>>
    /** A new operation for a failed one; twice gives the same. @throws OperationNotRetriableError too */
    readonly retry: (owner: Owner, id: string) => Promise<Operation>
  }
  /** Actions on many parked commands at once. */
  readonly actions: {
    readonly start: (options: BulkActionOptions) => Promise<ActionView>
    readonly get: (id: string, options?: GetActionOptions) => Promise<ActionView | null>
    readonly list: (filter?: ActionListFilter) => Promise<Page<ActionView>>
    readonly stop: (id: string, options: StopActionOptions) => Promise<ActionView>
    /** What an action would do, by the same decisions, and nothing done. */
    readonly dryRun: (options: BulkActionOptions) => Promise<ActionPlan>
  }
  readonly runs: WorkflowCalls
  /** What tenants pay runs with: a ledger with a monthly and a purchased pool. */
  readonly credits: Credits
}
