import type {
  CreditEntry,
  PerFileResult,
  WorkflowRun,
  WorkflowTemplate,
} from '../../application/ports/workflow-queries.ts'
import type { FileStatus } from '../../domain/workflow-run/events.ts'
import { jobId } from '../../domain/workflow-run/names.ts'
import type { RunStatus } from '../../domain/workflow-run/status.ts'

export interface TemplateRow {
  readonly template_id: string
  readonly tenant_id: string | null
  readonly name: string
  readonly credits_per_run: string
  readonly batch_mode: boolean
  readonly created_by: string
  readonly created_at: Date
  readonly updated_at: Date
  readonly archived_at: Date | null
}

export const templateOf = (row: TemplateRow): WorkflowTemplate => ({
  id: row.template_id,
  tenantId: row.tenant_id,
  name: row.name,
  creditsPerRun: Number(row.credits_per_run),
  batchMode: row.batch_mode,
  createdBy: row.created_by,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  archivedAt: row.archived_at?.toISOString() ?? null,
})

export interface FileRow {
  readonly run_id: string
  readonly idx: number
  readonly file_name: string
  readonly status: FileStatus
  readonly open: boolean
  readonly round: number
  readonly retry_attempt: number
  readonly error_code: string | null
  readonly error_message: string | null
  readonly last_retried_at: Date | null
}

export interface RunRow {
  readonly run_id: string
  readonly tenant_id: string
  readonly template_id: string
  readonly template_name: string
  readonly status: RunStatus
  readonly batch_mode: boolean
  readonly test_run: boolean
  readonly credits_per_run: string
  readonly max_retry_count: number
  readonly total_jobs: number
  readonly completed_jobs: number
  readonly failed_jobs: number
  readonly round: number
  readonly round_jobs: number
  readonly credits_from_monthly: string
  readonly credits_from_purchased: string
  readonly started_by: string
  readonly created_at: Date
  readonly updated_at: Date
  readonly ended_at: Date | null
}

/** `processing`: whether a worker is at the job with this id in this round. */
export const runOf = (
  row: RunRow,
  files: readonly FileRow[],
  processing: (jobId: string, round: number) => boolean,
): WorkflowRun => {
  const [monthly, purchased] = [Number(row.credits_from_monthly), Number(row.credits_from_purchased)]
  return {
    id: row.run_id,
    tenantId: row.tenant_id,
    templateId: row.template_id,
    templateName: row.template_name,
    status: row.status,
    totalJobs: row.total_jobs,
    completedJobs: row.completed_jobs,
    failedJobs: row.failed_jobs,
    round: row.round,
    roundJobs: row.round_jobs,
    maxRetryCount: row.max_retry_count,
    creditsPerRun: Number(row.credits_per_run),
    creditsConsumed: monthly + purchased,
    creditsFromMonthly: monthly,
    creditsFromPurchased: purchased,
    batchMode: row.batch_mode,
    testRun: row.test_run,
    startedBy: row.started_by,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    perFileResults: files.map((file): PerFileResult => {
      const id = jobId(row.run_id, row.batch_mode ? null : file.idx)
      return {
        index: file.idx,
        fileName: file.file_name,
        status: file.open && processing(id, file.round) ? 'processing' : file.status,
        retryAttempt: file.retry_attempt,
        errorMessage: file.error_message,
        errorCode: file.error_code,
        lastRetriedAt: file.last_retried_at?.toISOString() ?? null,
        jobId: id,
      }
    }),
  }
}

export interface EntryRow {
  readonly revision: string
  readonly kind: CreditEntry['kind']
  readonly monthly: string
  readonly purchased: string
  readonly month: string
  readonly run_id: string | null
  readonly charge_id: string | null
  readonly reason: string | null
  readonly actor: string
  readonly at: Date
  readonly monthly_left: string
  readonly purchased_left: string
}

export const entryOf = (row: EntryRow): CreditEntry => ({
  revision: Number(row.revision),
  kind: row.kind,
  monthly: Number(row.monthly),
  purchased: Number(row.purchased),
  month: row.month,
  runId: row.run_id,
  chargeId: row.charge_id,
  reason: row.reason,
  actor: row.actor,
  at: row.at.toISOString(),
  monthlyLeft: Number(row.monthly_left),
  purchasedLeft: Number(row.purchased_left),
})
