import type { WorkItem } from '../../../application/commands/work-message.ts'
import type { AttemptEnd, AttemptOutcome } from '../../../application/ports/telemetry.ts'
import type { ReportOutcome } from './reporter.ts'

const outcomes: Readonly<Record<string, AttemptOutcome>> = {
  COMPLETED: 'completed',
  PENDING: 'retried',
  FAILED: 'failed',
  IN_TROUBLESHOOTING_QUEUE: 'parked',
}

/** How an attempt ended, for telemetry. */
export const attemptEnd = (job: WorkItem, reported: ReportOutcome | 'abandoned'): AttemptEnd => {
  const state = reported === 'abandoned' || reported.outcome === 'rejected' ? undefined : reported.now.state
  const outcome = state === undefined ? undefined : outcomes[state.status]
  if (state === undefined || state.status === 'NONE' || outcome === undefined)
    return { outcome: 'stale', replied: false }
  const { lastError } = state
  return {
    outcome,
    replied: job.command.sent.replyTo !== null && (outcome === 'completed' || outcome === 'failed'),
    ...(outcome === 'completed' || lastError === null ? {} : { error: lastError }),
  }
}
