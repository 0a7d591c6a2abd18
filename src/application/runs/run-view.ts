import { jobId } from '../../domain/workflow-run/names.ts'
import { costOf, type StartedRun } from '../../domain/workflow-run/state.ts'
import type { PerFileResult, WorkflowRun } from '../ports/reading/workflow-queries.ts'

const LONGEST_TEXT = 200

/** A run from the log. Only the rows of its commands show which jobs are being processed. */
export const toWorkflowRun = (runId: string, run: StartedRun): WorkflowRun => {
  const { monthly, purchased } = costOf(run.charges)
  return {
    id: runId,
    tenantId: run.tenantId,
    templateId: run.templateId,
    templateName: run.templateName,
    status: run.status,
    totalJobs: run.files.length,
    completedJobs: run.completedJobs,
    failedJobs: run.failedJobs,
    round: run.round,
    roundJobs: run.roundJobs,
    maxRetryCount: run.maxRetryCount,
    creditsPerRun: run.creditsPerRun,
    creditsConsumed: monthly + purchased,
    creditsFromMonthly: monthly,
    creditsFromPurchased: purchased,
    batchMode: run.batchMode,
    testRun: run.testRun,
    startedBy: run.startedBy,
    createdAt: run.createdAt,
    updatedAt: run.updatedAt,
    endedAt: run.endedAt,
    perFileResults: run.files.map(
      (file, index): PerFileResult => ({
        index,
        fileName: file.fileName,
        status: file.status,
        retryAttempt: file.retryAttempt,
        errorMessage: file.errorMessage?.slice(0, LONGEST_TEXT).toWellFormed() ?? null,
        errorCode: file.errorCode,
        lastRetriedAt: file.lastRetriedAt,
        jobId: jobId(runId, run.batchMode ? null : index),
      }),
    ),
  }
}
