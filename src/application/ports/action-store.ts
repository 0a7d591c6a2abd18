import type { Either } from 'fp-ts/lib/Either.js'
import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import type { ActionDetails, ParkedAction } from '../../domain/command/operator-actions.ts'
import type { ActionCondition, ParkedFilter } from '../../domain/command/parked-filter.ts'
import type { Transaction } from './event-store.ts'
import type { Page } from './reading/command-queries.ts'

/** STOPPED: an operator ended it; CANARY_FAILED: a command of the canary did not complete. The others are as they say. */
export const actionStatuses = ['RUNNING', 'WAITING_FOR_CANARY', 'COMPLETED', 'CANARY_FAILED', 'STOPPED'] as const
export type ActionStatus = (typeof actionStatuses)[number]

export const itemOutcomes = ['SUCCEEDED', 'FAILED', 'SKIPPED'] as const
export type ItemOutcome = (typeof itemOutcomes)[number]

/** Which parked commands an action is about; all conditions hold together, and none means every parked command. */
export type ActionFilter = Pick<ParkedFilter, ActionCondition>

/** What is done to each item, as the single action takes it; a payload is edited one by one. */
export type BulkDetails = {
  readonly [A in ParkedAction]: { readonly action: A } & Omit<ActionDetails[A], 'data'>
}[ParkedAction]

export interface NewAction {
  readonly id: string
  readonly details: BulkDetails
  readonly target: { readonly filter: ActionFilter } | { readonly ids: readonly CommandKey[] }
  readonly canary: number | null
  readonly operator: string
  /** Null: commands of all tenants; `''`: of none. */
  readonly tenantId: string | null
}

/** An action as it stands. Times are ISO 8601. */
export interface ActionRecord {
  readonly id: string
  readonly details: BulkDetails
  readonly criteria: { readonly filter: ActionFilter } | { readonly ids: number }
  readonly canary: number | null
  readonly operator: string
  readonly tenantId: string | null
  readonly status: ActionStatus
  /** Why it ended before all was done. */
  readonly note: string | null
  readonly total: number
  readonly succeeded: number
  readonly failed: number
  readonly skipped: number
  readonly createdAt: string
  readonly updatedAt: string
}

export interface ActionItem {
  readonly ordinal: number
  readonly domain: string
  readonly commandId: string
  /** Null: its turn has not come. */
  readonly outcome: ItemOutcome | null
  /** Why it was not done. */
  readonly message: string | null
}

/** An item whose turn has come. */
export interface DueItem extends CommandKey {
  readonly ordinal: number
  /** Revision of the command when the action was asked for. */
  readonly revision: number
  /** The command's events, payloads left out (they are null): they never leave the store. Left: they cannot be read. */
  readonly history: Either<string, readonly CommandEvent[]>
}

export interface ItemMark {
  readonly ordinal: number
  readonly outcome: ItemOutcome
  readonly message: string | null
}

/** `stumbled`: the first command of the canary whose retry did not complete, in words. */
export type CanaryVerdict =
  | { readonly verdict: 'waiting' | 'passed' }
  | { readonly verdict: 'stumbled'; readonly why: string }

/** An unfinished action in the hands of one process, for the length of a transaction. */
export interface TakenAction {
  /** As it stands now. */
  readonly action: ActionRecord
  /** Every item up to this ordinal has its outcome. */
  readonly doneTo: number
  /** For appends that commit, or not, together with the marks. */
  readonly within: Transaction
  /** The next items without an outcome, in order. */
  readonly next: (limit: number) => Promise<readonly DueItem[]>
  /** Notes outcomes, and counts them. Once all have one, the action is COMPLETED (unless it waits for its canary). */
  readonly mark: (marks: readonly ItemMark[], at: string) => Promise<void>
  /** The canary has completed: on with the rest. */
  readonly passCanary: (at: string) => Promise<void>
  /** Ends it: items without an outcome are SKIPPED, for the reason that `note` tells. */
  readonly end: (status: 'CANARY_FAILED' | 'STOPPED', note: string, at: string) => Promise<void>
}

export interface ActionListFilter {
  readonly status?: ActionStatus
  /** Of this tenant only. */
  readonly tenantId?: string
  readonly limit?: number
  readonly cursor?: string
}

export interface ItemListFilter {
  readonly outcome?: ItemOutcome
  readonly limit?: number
  readonly cursor?: string
}

/** Where bulk actions are kept: their items, frozen when they are asked for, and how far they have come. */
export interface ActionStore {
  /** Writes down the action and its items in one statement. Repeated with the same id it changes nothing. */
  readonly create: (action: NewAction) => Promise<ActionRecord>
  readonly get: (id: string) => Promise<ActionRecord | null>
  /** Newest first. */
  readonly list: (filter: ActionListFilter) => Promise<Page<ActionRecord>>
  /** In order. */
  readonly items: (id: string, filter: ItemListFilter) => Promise<Page<ActionItem>>
  /** Unfinished actions, oldest first. */
  readonly open: () => Promise<readonly ActionRecord[]>
  /** Items after an ordinal that have no outcome, in order, as they are now: somebody may be at work on them. */
  readonly due: (id: string, after: number, limit: number) => Promise<readonly DueItem[]>
  /** How the retried commands of an action fare. Reads only. */
  readonly canary: (id: string) => Promise<CanaryVerdict>
  /**
   * Runs `work` in a transaction, while no other process works on the action; what it throws undoes everything. Null:
   * the action is finished or (with `wait: false`) in other hands, and nothing was done.
   */
  readonly take: <A>(
    id: string,
    options: { readonly wait: boolean },
    work: (taken: TakenAction) => Promise<A>,
  ) => Promise<A | null>
  /** What an error of `take` says about the items at work; null: nothing, the store is away: try again later. */
  readonly faultOf: (error: unknown) => string | null
}
