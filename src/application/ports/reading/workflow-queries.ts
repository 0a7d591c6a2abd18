import type { Month, Pool } from '../../../domain/credits/events.ts'
import type { FileStatus } from '../../../domain/workflow-run/events.ts'
import type { RunStatus } from '../../../domain/workflow-run/status.ts'
import type { Page } from './command-queries.ts'

/** A template for runs. Times are ISO 8601. */
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
  /** Null: it is not archived, and runs can be started. */
  readonly archivedAt: string | null
}

/** A file of a workflow run, as it is now. */
export interface PerFileResult {
  /** Its index in the list that the run began with. */
  readonly index: number
  readonly fileName: string
  /** `processing`: a worker handles it. `error` is permanent; `failed` may be continued. */
  readonly status: FileStatus | 'processing'
  /** How often it was continued at a price. */
  readonly retryAttempt: number
  /** At most 200 characters; the log has it whole. */
  readonly errorMessage: string | null
  readonly errorCode: string | null
  readonly lastRetriedAt: string | null
  readonly jobId: string
}

/** A workflow run, as it is now. */
export interface WorkflowRun {
  readonly id: string
  readonly tenantId: string
  readonly templateId: string
  readonly templateName: string
  readonly status: RunStatus
  /** Files in all. */
  readonly totalJobs: number
  /** Files of the present round that are completed, and those that failed (temporarily or permanently). */
  readonly completedJobs: number
  readonly failedJobs: number
  /** 1 for the first; each Continue begins a new round of `roundJobs` files. */
  readonly round: number
  readonly roundJobs: number
  readonly maxRetryCount: number
  /** The price of a file when the run began. */
  readonly creditsPerRun: number
  /** What it has cost, minus refunds: the sum of the next two members. */
  readonly creditsConsumed: number
  readonly creditsFromMonthly: number
  readonly creditsFromPurchased: number
  readonly batchMode: boolean
  /** Started by a BUBBLE_ADMIN: free. */
  readonly testRun: boolean
  readonly startedBy: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly endedAt: string | null
  readonly perFileResults: readonly PerFileResult[]
}

/** Which workflow runs `runs.list` returns. */
export interface RunFilter {
  readonly status?: RunStatus
  readonly tenantId?: string
  /** 1-500, default 100. A page ends earlier when its runs have many files. */
  readonly limit?: number
  readonly cursor?: string
}

/** Which templates `runs.listTemplates` returns. */
export interface TemplateFilter {
  /** Templates of this tenant, and those for all tenants. */
  readonly tenantId?: string
  readonly archived?: boolean
  readonly limit?: number
  readonly cursor?: string
}

/** One change of a balance of credits. */
export interface CreditEntry {
  readonly revision: number
  readonly kind: 'GRANT' | 'CHARGE' | 'REFUND'
  /** The change of each pool; negative for a charge. */
  readonly monthly: number
  readonly purchased: number
  /** The month of the monthly pool, as in `2026-11`. */
  readonly month: Month
  readonly runId: string | null
  readonly chargeId: string | null
  readonly reason: string | null
  readonly actor: string
  readonly at: string
  readonly monthlyLeft: number
  readonly purchasedLeft: number
}

/** Which changes of credits `credits.entries` returns. */
export interface EntryFilter {
  readonly limit?: number
  readonly cursor?: string
}

/** A charge that its run never claimed. */
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
  /** The database's clock, in milliseconds since 1970, because the clocks of processes may be wrong. */
  readonly now: () => Promise<number>
  /** Runs that have open files or owe a refund, without an event since `before` (by that clock), oldest first. */
  readonly unsettled: (before: string, limit: number) => Promise<readonly string[]>
  readonly balances: (tenantId: string, month: Month) => Promise<Readonly<Record<Pool, number>>>
  /** Newest first. */
  readonly entries: (tenantId: string, filter: EntryFilter) => Promise<Page<CreditEntry>>
  /** Charges from about `from` (null: from the beginning) to `before` that were neither claimed by their run nor refunded. */
  readonly orphans: (from: string | null, before: string, limit: number) => Promise<readonly OrphanCharge[]>
}
