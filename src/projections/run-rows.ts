import type { Instant } from '../domain/instant.ts'
import type { FileResult, RunEvent, RunInitiated } from '../domain/workflow-run/events.ts'
import { isActive } from '../domain/workflow-run/status.ts'
import type { Columns, RowWrite } from './row-write.ts'

/** Error texts are cut to this length; the log keeps them whole. */
const LONGEST_TEXT = 200
const cut = (text: string | null): string | null =>
  text === null || text.length <= LONGEST_TEXT ? text : text.slice(0, LONGEST_TEXT).toWellFormed()

/** The row of a run, and those of its files. */
export const runRows = (runId: string, revision: number, event: RunEvent): readonly RowWrite[] => {
  const key = { run_id: runId, revision, updated_at: event.at }
  const run = (columns: Columns): RowWrite => ({
    table: 'command_bus_workflow_run',
    kind: 'patch',
    row: { ...key, ...columns },
  })
  const file = (index: number, columns: Columns): RowWrite => ({
    table: 'command_bus_workflow_run_file',
    kind: 'patch',
    row: { ...key, idx: index, ...columns },
  })
  switch (event.type) {
    case 'RunInitiated':
      return initiated(key, event)
    case 'RunBegan':
      return [run({ status: 'RUNNING' })]
    case 'RunFilesNoted': {
      const { status, completedJobs, failedJobs, results } = event
      return [
        run({ status, completed_jobs: completedJobs, failed_jobs: failedJobs }),
        ...results.map(result => file(result.index, noted(result))),
      ]
    }
    case 'RunEnded':
      return [run({ status: event.status, unsettled: !event.settled, ended_at: event.at })]
    case 'RunResumed':
      return [
        run({
          status: 'RUNNING',
          round: event.round,
          round_jobs: event.files.length,
          completed_jobs: 0,
          failed_jobs: 0,
          credits_from_monthly: event.creditsFromMonthly,
          credits_from_purchased: event.creditsFromPurchased,
          unsettled: true,
          ended_at: null,
        }),
        ...event.files.map(({ index, retryAttempt }) =>
          file(index, {
            status: 'pending',
            open: true,
            round: event.round,
            retry_attempt: retryAttempt,
            error_code: null,
            error_message: null,
            last_retried_at: event.at,
          }),
        ),
      ]
    case 'RunCancelled':
      return [run({ status: 'CANCELLED', unsettled: true })]
    case 'RunDispatchFailed':
      return [
        run({ status: event.status, unsettled: !event.settled, ended_at: isActive(event.status) ? null : event.at }),
        ...event.restored.map(({ index, status, retryAttempt, errorCode, errorMessage, lastRetriedAt }) =>
          file(index, {
            status,
            open: false,
            retry_attempt: retryAttempt,
            error_code: errorCode,
            error_message: cut(errorMessage),
            last_retried_at: lastRetriedAt,
          }),
        ),
      ]
    case 'RunRefunded':
      return [
        run({
          credits_from_monthly: event.creditsFromMonthly,
          credits_from_purchased: event.creditsFromPurchased,
          unsettled: !event.settled,
        }),
      ]
    case 'RunChargeAbandoned':
      return [run({})]
  }
}

const noted = ({ outcome, errorCode, errorMessage }: FileResult): Columns => ({
  status: outcome === 'interrupted' || outcome === 'cancelled' ? 'pending' : outcome,
  open: false,
  error_code: errorCode,
  error_message: cut(errorMessage),
})

const initiated = (
  key: { readonly run_id: string; readonly revision: number; readonly updated_at: Instant },
  event: RunInitiated,
): readonly RowWrite[] => [
  {
    table: 'command_bus_workflow_run',
    kind: 'put',
    row: {
      ...key,
      tenant_id: event.tenantId,
      template_id: event.templateId,
      template_name: event.templateName,
      status: 'QUEUED',
      batch_mode: event.batchMode,
      test_run: event.testRun,
      credits_per_run: event.creditsPerRun,
      max_retry_count: event.maxRetryCount,
      total_jobs: event.files.length,
      completed_jobs: 0,
      failed_jobs: 0,
      round: 1,
      round_jobs: event.files.length,
      credits_from_monthly: event.charge?.taken.monthly ?? 0,
      credits_from_purchased: event.charge?.taken.purchased ?? 0,
      unsettled: true,
      started_by: event.actor,
      created_at: event.at,
      ended_at: null,
    },
  },
  ...event.files.map(
    ({ fileName }, index): RowWrite => ({
      table: 'command_bus_workflow_run_file',
      kind: 'put',
      row: {
        ...key,
        idx: index,
        file_name: fileName,
        status: 'pending',
        open: true,
        round: 1,
        retry_attempt: 0,
        error_code: null,
        error_message: null,
        last_retried_at: null,
      },
    }),
  ),
]
