import type {
  CreditEntry,
  PerFileResult,
  WorkflowRun,
  WorkflowTemplate,
} from '../../../application/ports/reading/workflow-queries.ts'
import type { FileStatus } from '../../../domain/workflow-run/events.ts'
import { jobId } from '../../../domain/workflow-run/names.ts'
import type { RunStatus } from '../../../domain/workflow-run/status.ts'
import { columnsOf } from '../connection/instant.ts'

export const templateColumns = columnsOf(
  'command_bus_workflow_template',
  ['template_id', 'tenant_id', 'name', 'credits_per_run', 'batch_mode', 'created_by'],
  ['created_at', 'updated_at', 'archived_at'],
)

export interface TemplateRow {
  readonly template_id: string
  readonly tenant_id: string | null
  readonly name: string
  readonly credits_per_run: string
  readonly batch_mode: boolean
  readonly created_by: string
  readonly created_at: string
  readonly updated_at: string
  readonly archived_at: string | null
}

export const templateOf = (row: TemplateRow): WorkflowTemplate => ({
  id: row.template_id,
  tenantId: row.tenant_id,
  name: row.name,
  creditsPerRun: Number(row.credits_per_run),
  batchMode: row.batch_mode,
  createdBy: row.created_by,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  archivedAt: row.archived_at,
})

export const fileColumns = columnsOf(
  'command_bus_workflow_run_file',
  ['run_id', 'idx', 'file_name', 'status', 'open', 'round', 'retry_attempt', 'error_code', 'error_message'],
  ['last_retried_at'],
)

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
  readonly last_retried_at: string | null
}

export const runColumns = (alias: string): string =>
  columnsOf(
    alias,
    [
      'run_id',
      'tenant_id',
      'template_id',
      'template_name',
      'status',
      'batch_mode',
      'test_run',
      'credits_per_run',
      'max_retry_count',
      'total_jobs',
      'completed_jobs',
      'failed_jobs',
      'round',
      'round_jobs',
      'credits_from_monthly',
      'credits_from_purchased',
      'started_by',
    ],
    ['created_at', 'updated_at', 'ended_at'],
  )

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
  readonly created_at: string
  readonly updated_at: string
  readonly ended_at: string | null
}

/** `processing`: whether a worker is processing the job with this id in this round. */
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
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    endedAt: row.ended_at,
    perFileResults: files.map((file): PerFileResult => {
      const id = jobId(row.run_id, row.batch_mode ? null : file.idx)
      return {
        index: file.idx,
        fileName: file.file_name,
        status: file.open && processing(id, file.round) ? 'processing' : file.status,
        retryAttempt: file.retry_attempt,
        errorMessage: file.error_message,
        errorCode: file.error_code,
        lastRetriedAt: file.last_retried_at,
        jobId: id,
      }
    }),
  }
}

export const entryColumns = (alias: string): string =>
  columnsOf(
    alias,
    [
      'tenant_id',
      'revision',
      'kind',
      'monthly',
      'purchased',
      'month',
      'run_id',
      'charge_id',
      'reason',
      'actor',
      'monthly_left',
      'purchased_left',
    ],
    ['at'],
  )

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
  readonly at: string
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
  at: row.at,
  monthlyLeft: Number(row.monthly_left),
  purchasedLeft: Number(row.purchased_left),
})
