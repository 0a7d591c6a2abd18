import type { Either } from 'fp-ts/lib/Either.js'
import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import type { ActionDetails, ParkedAction } from '../../domain/command/operator-actions.ts'
import type { ActionFilter } from '../../domain/command/parking.ts'
import type { Transaction } from './event-store.ts'
import type { Page } from './reading/command-queries.ts'

/** STOPPED: an operator ended it; CANARY_FAILED: a command of the canary did not complete. */
export const actionStatuses = ['RUNNING', 'WAITING_FOR_CANARY', 'COMPLETED', 'CANARY_FAILED', 'STOPPED'] as const
export type ActionStatus = (typeof actionStatuses)[number]

export const itemOutcomes = ['SUCCEEDED', 'FAILED', 'SKIPPED'] as const
export type ItemOutcome = (typeof itemOutcomes)[number]

/** The options of the single action, for each item; without `data`, because payloads are edited one by one. */
export type BulkDetails = {
  readonly [A in ParkedAction]: { readonly action: A } & Omit<ActionDetails[A], 'data'>
}[ParkedAction]

export interface NewAction {
  readonly id: string
  readonly details: BulkDetails
  readonly target: { readonly filter: ActionFilter } | { readonly ids: readonly CommandKey[] }
  readonly canary: number | null
  readonly operator: string
  /** Null: commands of all tenants; `''`: commands without a tenant. */
  readonly tenantId: string | null
}

/** The present state of an action. Times are ISO 8601. */
export interface ActionRecord {
  readonly id: string
  readonly details: BulkDetails
  readonly criteria: { readonly filter: ActionFilter } | { readonly ids: number }
  readonly canary: number | null
  readonly operator: string
  readonly tenantId: string | null
  readonly status: ActionStatus
  /** Why it ended early. */
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
  /** Null: not handled yet. */
  readonly outcome: ItemOutcome | null
  /** Why it was not done. */
  readonly message: string | null
}

/** An item to be handled next. */
export interface DueItem extends CommandKey {
  readonly ordinal: number
  /** The command's revision when the action was requested. */
  readonly revision: number
  /** The command's events; payloads are null, because they never leave the store. Left: the events cannot be read. */
  readonly history: Either<string, readonly CommandEvent[]>
}

export interface ItemMark {
  readonly ordinal: number
  readonly outcome: ItemOutcome
  readonly message: string | null
}

/** `stumbled`: describes the first command of the canary whose retry did not complete. */
export type CanaryVerdict =
  | { readonly verdict: 'waiting' | 'passed' }
  | { readonly verdict: 'stumbled'; readonly why: string }

/** An unfinished action that one process has locked for one transaction. */
export interface TakenAction {
  /** Its present state. */
  readonly action: ActionRecord
  /** Every item up to this ordinal has its outcome. */
  readonly doneTo: number
  /** For appends that commit together with the marks. */
  readonly within: Transaction
  /** The next items without an outcome, in order. */
  readonly next: (limit: number) => Promise<readonly DueItem[]>
  /** Records and counts outcomes. When all items have one, the action is COMPLETED (unless it waits for its canary). */
  readonly mark: (marks: readonly ItemMark[], at: string) => Promise<void>
  /** The canary has completed: the action continues with the rest. */
  readonly passCanary: (at: string) => Promise<void>
  /** Ends the action: items without an outcome are SKIPPED, with `note` as the reason. */
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

/** Stores bulk actions: their items, fixed at the request, and their progress. */
export interface ActionStore {
  /** Stores the action and its items in one statement. Repeated with the same id it changes nothing. */
  readonly create: (action: NewAction) => Promise<ActionRecord>
  readonly get: (id: string) => Promise<ActionRecord | null>
  /** Newest first. */
  readonly list: (filter: ActionListFilter) => Promise<Page<ActionRecord>>
  /** In order. */
  readonly items: (id: string, filter: ItemListFilter) => Promise<Page<ActionItem>>
  /** Unfinished actions, oldest first. */
  readonly open: () => Promise<readonly ActionRecord[]>
  /** Items after an ordinal without an outcome, in order. Another process may be handling them. */
  readonly due: (id: string, after: number, limit: number) => Promise<readonly DueItem[]>
  /** The state of the canary's retried commands. Reads only. */
  readonly canary: (id: string) => Promise<CanaryVerdict>
  /**
   * Runs `work` in a transaction while no other process works on the action; an exception rolls everything back. Null:
   * nothing was done, because the action is finished or (with `wait: false`) another process has it.
   */
  readonly take: <A>(
    id: string,
    options: { readonly wait: boolean },
    work: (taken: TakenAction) => Promise<A>,
  ) => Promise<A | null>
  /** What an error of `take` says about its items; null: nothing, because the store is away: try again later. */
  readonly faultOf: (error: unknown) => string | null
}
