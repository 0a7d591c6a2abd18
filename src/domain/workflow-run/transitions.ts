import type { RunEventType } from './events.ts'
import { type RunStatus, runStatuses } from './status.ts'

interface Step {
  /** `NONE`: the run does not exist yet. */
  readonly from: readonly (RunStatus | 'NONE')[]
  readonly to: readonly (RunStatus | 'NONE')[]
}

const ends: readonly RunStatus[] = ['COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED']
const stays = (status: RunStatus | 'NONE'): Step => ({ from: [status], to: [status] })

/** Every legal transition of a run. The diagram in the docs and the property tests read this table. */
export const transitions: Readonly<Record<RunEventType, readonly Step[]>> = {
  RunInitiated: [{ from: ['NONE'], to: ['QUEUED'] }],
  RunBegan: [{ from: ['QUEUED'], to: ['RUNNING'] }],
  RunFilesNoted: [{ from: ['QUEUED', 'RUNNING'], to: ['RUNNING'] }, stays('CANCELLED')],
  RunEnded: [{ from: ['RUNNING'], to: ends }, stays('CANCELLED')],
  RunResumed: [{ from: ['COMPLETED_WITH_ERRORS', 'FAILED'], to: ['RUNNING'] }],
  RunCancelled: [{ from: ['QUEUED', 'RUNNING'], to: ['CANCELLED'] }],
  // several for many files: the last one ends the run
  RunDispatchFailed: [
    { from: ['QUEUED', 'RUNNING'], to: ['COMPLETED_WITH_ERRORS', 'FAILED'] },
    stays('QUEUED'),
    stays('RUNNING'),
  ],
  RunRefunded: runStatuses.map(stays),
  RunChargeAbandoned: (['NONE', ...runStatuses] as const).map(stays),
}

export const isLegal = (event: RunEventType, from: RunStatus | 'NONE', to: RunStatus | 'NONE'): boolean =>
  transitions[event].some(step => step.from.includes(from) && step.to.includes(to))
