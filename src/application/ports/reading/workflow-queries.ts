import type { Month, Pool } from '../../../domain/credits/events.ts'
import type { FileStatus } from '../../../domain/workflow-run/events.ts'
import type { RunStatus } from '../../../domain/workflow-run/status.ts'
import type { Page } from './command-queries.ts'

/** What runs are made of. Times are ISO 8601. */
export interface WorkflowTemplate {
  readonly id: string
  /** Null: every tenant may run it. */
  readonly tenantId: string | null
  readonly name: string
  /** The price of a file, in credits. */
  readonly creditsPerRun: number
  readonly batchMode: boolean
  readonly createdBy: string
  readonly createdAt: string
  readonly updatedAt: string
  /** Null: it can be run. */
  readonly archivedAt: string | null
}

export interface PerFileResult {
  /** Its place in the list the run began with. */
  readonly index: number
  readonly fileName: string
  /** `processing`: a worker is at it. `error` is permanent; `failed` may be continued. */
  readonly status: FileStatus | 'processing'
  /** How often it was continued at a price. */
  readonly retryAttempt: number
  /** At most 200 characters; whole in the log. */
  readonly errorMessage: string | null
  readonly errorCode: string | null
  readonly lastRetriedAt: string | null
  readonly jobId: string
}

export interface WorkflowRun {
  readonly id: string
  readonly tenantId: string
  readonly templateId: string
  readonly templateName: string
  readonly status: RunStatus
  /** Files in all. */
  readonly totalJobs: number
  /** Files of the present round that are completed, and that have failed for now or for good. */
  readonly completedJobs: number
  readonly failedJobs: number
  /** 1 for the first; each Continue begins another, of `roundJobs` files. */
  readonly round: number
  readonly roundJobs: number
  readonly maxRetryCount: number
  /** The price of a file when the run began. */
  readonly creditsPerRun: number
  /** What it has cost, refunds taken off: the sum of the two below. */
  readonly creditsConsumed: number
  readonly creditsFromMonthly: number
  readonly creditsFromPurchased: number
  readonly batchMode: boolean
  /** Begun by a BUBBLE_ADMIN: free. */
  readonly testRun: boolean
  readonly startedBy: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly endedAt: string | null
  readonly perFileResults: readonly PerFileResult[]
}

export interface RunFilter {
  readonly status?: RunStatus
  readonly tenantId?: string
  /** 1-500, default 100. A page ends earlier when its runs have many files. */
  readonly limit?: number
  readonly cursor?: string
}

export interface TemplateFilter {
  /** Of this tenant, and those of all. */
  readonly tenantId?: string
  readonly archived?: boolean
  readonly limit?: number
  readonly cursor?: string
}

export interface CreditEntry {
  readonly revision: number
  readonly kind: 'GRANT' | 'CHARGE' | 'REFUND'
  /** What it added to each pool; less than 0 for a charge. */
  readonly monthly: number
  readonly purchased: number
  /** Whose pool the monthly part is of, as in `2026-11`. */
  readonly month: Month
  readonly runId: string | null
  readonly chargeId: string | null
  readonly reason: string | null
  readonly actor: string
  readonly at: string
  readonly monthlyLeft: number
  readonly purchasedLeft: number
}

export interface EntryFilter {
  readonly limit?: number
  readonly cursor?: string
}

/** A charge that no run has claimed. */
export interface OrphanCharge {
  readonly tenantId: string
  readonly runId: string
  readonly chargeId: string
  readonly amount: number
}

export interface WorkflowQueries {
  readonly template: (id: string) => Promise<WorkflowTemplate | null>
  /** Newest first. */
  readonly templates: (filter: TemplateFilter) => Promise<Page<WorkflowTemplate>>
  readonly run: (id: string) => Promise<WorkflowRun | null>
  /** Newest first. */
  readonly runs: (filter: RunFilter) => Promise<Page<WorkflowRun>>
  /** By the clock of the database, in milliseconds since 1970: those of the processes that wrote may be wrong. */
  readonly now: () => Promise<number>
  /** Runs with something open or owed that have not moved since `before`, oldest first. Recorded by that clock, too. */
  readonly unsettled: (before: string, limit: number) => Promise<readonly string[]>
  readonly balances: (tenantId: string, month: Month) => Promise<Readonly<Record<Pool, number>>>
  /** Newest first. */
  readonly entries: (tenantId: string, filter: EntryFilter) => Promise<Page<CreditEntry>>
  /** Charges made from about `from` (null: ever), and recorded before `before`, that were neither claimed by their run nor given back. */
  readonly orphans: (from: string | null, before: string, limit: number) => Promise<readonly OrphanCharge[]>
}
