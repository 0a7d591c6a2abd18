import type { Either } from 'fp-ts/lib/Either.js'
import type { Campaign, SoFar } from '../../domain/campaign/campaign.ts'
import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import type { ActionDetails, ParkedAction } from '../../domain/command/operator-actions.ts'
import type { ActionFilter } from '../../domain/command/parking.ts'
import type { Transaction } from './event-store.ts'
import type { Page } from './reading/command-queries.ts'

/**
 * STOPPED: an operator ended it; STOPPED_BY_RULE: too many commands did not complete; CANARY_FAILED: the same, of a canary.
 */
export const actionStatuses = [
  'RUNNING',
  'WAITING_FOR_CANARY',
  'COMPLETED',
  'CANARY_FAILED',
  'STOPPED',
  'PAUSED',
  'STOPPED_BY_RULE',
] as const
export type ActionStatus = (typeof actionStatuses)[number]

export const itemOutcomes = ['SUCCEEDED', 'FAILED', 'SKIPPED'] as const
export type ItemOutcome = (typeof itemOutcomes)[number]

/** How a command went on after its retry; RUNNING: it has not ended. */
export const becameWords = ['RUNNING', 'COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE'] as const
export type Became = (typeof becameWords)[number]

/** What became of the commands that a retry has sent again. */
export interface BecameCounts {
  readonly completed: number
  /** In troubleshooting again; also those that an operator has dealt with since. */
  readonly parkedAgain: number
  readonly failed: number
  readonly canceled: number
  readonly running: number
}

/** The options of the single action, for each item; without `data`, because payloads are edited one by one. */
export type BulkDetails = {
  readonly [A in ParkedAction]: { readonly action: A } & Omit<ActionDetails[A], 'data'>
}[ParkedAction]

export interface NewAction {
  readonly id: string
  readonly details: BulkDetails
  readonly target: { readonly filter: ActionFilter } | { readonly ids: readonly CommandKey[] }
  readonly canary: number | null
  readonly campaign: Campaign
  /** Nothing is done for so long: until then a stop undoes all of it. */
  readonly undoSeconds: number
  readonly operator: string
  /** Null: commands of all tenants; `''`: commands without a tenant. */
  readonly tenantId: string | null
}

/** What an action is about. */
export type Selection = Pick<NewAction, 'target' | 'tenantId'>

/** The present state of an action. Times are ISO 8601. */
export interface ActionRecord {
  readonly id: string
  readonly details: BulkDetails
  readonly criteria: { readonly filter: ActionFilter } | { readonly ids: number }
  readonly canary: number | null
  readonly campaign: Campaign
  /** It carries out a plan: commands that have changed since then are skipped. */
  readonly exact: boolean
  readonly operator: string
  readonly tenantId: string | null
  readonly status: ActionStatus
  /** Why it ended early, or is paused. */
  readonly note: string | null
  /** The stage that is sent now, from 1. */
  readonly stage: number
  /** Until then a stop undoes all of it. */
  readonly startsAt: string | null
  /** What the rate allows now, in commands. */
  readonly tokens: number
  /** The database's clock, when this was read. */
  readonly now: string
  readonly total: number
  readonly succeeded: number
  readonly failed: number
  readonly skipped: number
  readonly createdAt: string
  readonly updatedAt: string
}

/** One command of an action on many, and what became of it. */
export interface ActionItem {
  readonly ordinal: number
  readonly domain: string
  readonly commandId: string
  /** Null: not handled yet. */
  readonly outcome: ItemOutcome | null
  /** Why it was not done. */
  readonly message: string | null
  /** Of a retry that was done. */
  readonly became: Became | null
  /** The error code, if it did not complete. */
  readonly becameCode: string | null
}

/** A state of an action, from `at` on. */
export interface ActionChange {
  readonly at: string
  readonly status: ActionStatus
  readonly stage: number
  readonly note: string | null
  /** The operator who made the change; null: the action itself. */
  readonly by: string | null
  readonly succeeded: number
  readonly failed: number
  readonly skipped: number
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

/** What became of the commands sent so far; `first` describes the first that did not complete. */
export interface Standing extends SoFar {
  /** Of the present stage, not ended. */
  readonly running: number
  /** Of the whole action, without an outcome. */
  readonly left: number
  readonly first: string | null
}

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
  /** The stage has completed: the action continues with the next. */
  readonly passStage: () => Promise<void>
  /** Ends the action: items without an outcome are SKIPPED, with `note` as the reason. */
  readonly end: (status: EarlyEnd, note: string, by: string | null) => Promise<void>
  readonly pause: (note: string, by: string) => Promise<void>
  readonly resume: (by: string) => Promise<void>
}

export type EarlyEnd = 'CANARY_FAILED' | 'STOPPED' | 'STOPPED_BY_RULE'

/** The commands of an action and their revisions, as a dry run saw them. */
export interface SelectionPrint {
  readonly print: string
  /** What was committed then; for `changesSince`. */
  readonly snapshot: string
}

/** What is different from a plan: `added` is new in the selection, `gone` no longer in it, `moved` in it and changed. */
export interface PlanChange extends CommandKey {
  readonly change: 'added' | 'gone' | 'moved'
}

/** Which actions `actions.list` returns. */
export interface ActionListFilter {
  readonly status?: ActionStatus
  /** Of this tenant only. */
  readonly tenantId?: string
  readonly limit?: number
  readonly cursor?: string
}

/** Which commands of an action `actions.get` returns. */
export interface ItemListFilter {
  readonly outcome?: ItemOutcome
  /** Of a retry: commands that went on in this way. */
  readonly became?: Became
  readonly limit?: number
  readonly cursor?: string
}

/** Stores bulk actions: their items, fixed at the request, and their progress. */
export interface ActionStore {
  /**
   * Stores the action and its items in one transaction. Repeated with the same id it changes nothing, and gives what is stored.
   * With a `print`: null, and nothing is stored, unless the selection still has it.
   */
  readonly create: (action: NewAction, print?: string) => Promise<ActionRecord | null>
  /** With how many there are, and the keys of the first `most` in the order of the action. */
  readonly printOf: (
    selection: Selection,
    most: number,
  ) => Promise<SelectionPrint & { readonly total: number; readonly first: readonly CommandKey[] }>
  /** At most 20, as far as the log still says. */
  readonly changesSince: (selection: Selection, snapshot: string) => Promise<readonly PlanChange[]>
  readonly get: (id: string) => Promise<ActionRecord | null>
  /** Newest first. */
  readonly list: (filter: ActionListFilter) => Promise<Page<ActionRecord>>
  /** In order. */
  readonly items: (id: string, filter: ItemListFilter) => Promise<Page<ActionItem>>
  /** Unfinished actions, oldest first. */
  readonly open: () => Promise<readonly ActionRecord[]>
  /** Items after an ordinal without an outcome, in order. Another process may be handling them. */
  readonly due: (id: string, after: number, limit: number) => Promise<readonly DueItem[]>
  /** Looks up how retried commands ended, for those of which it is not recorded yet. */
  readonly settle: (id: string) => Promise<void>
  readonly standing: (id: string) => Promise<Standing>
  /** As of an instant, or by now. */
  readonly becameOf: (id: string, at?: string) => Promise<BecameCounts>
  /** The changes of status and stage, oldest first: the latest 200. */
  readonly changes: (id: string) => Promise<readonly ActionChange[]>
  /** The state at an instant; null: the action did not exist. */
  readonly stateAt: (id: string, at: string) => Promise<ActionChange | null>
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
