import { type Step, stepsOf } from '../history.ts'
import type { Instant } from '../instant.ts'
import type { Recorded } from '../recorded.ts'
import type { FileStatus, Owed, RunEvent, RunTerms } from './events.ts'
import { evolve } from './evolve.ts'
import { type ChargeOfRun, costOf, type FileState, initialState, type RunState, type StartedRun } from './state.ts'
import type { RunStatus } from './status.ts'

/** A file as it stood; what was handed in with it stands in the first event. */
export type FileSnapshot = {
  readonly index: number
  readonly fileName: string
  readonly status: FileStatus
  /** Its job of the round had no known outcome. */
  readonly open: boolean
  readonly retryAttempt: number
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly lastRetriedAt: Instant | null
}

/** A run as it stood after one of its events, in the words of the read row, without its files. */
export interface RunSummary extends RunTerms {
  readonly status: RunStatus
  readonly totalJobs: number
  readonly completedJobs: number
  readonly failedJobs: number
  readonly round: number
  readonly roundJobs: number
  /** What it had cost, refunds taken off. */
  readonly creditsFromMonthly: number
  readonly creditsFromPurchased: number
  readonly charges: readonly ChargeOfRun[]
  /** Refunds that had not reached the ledger, as far as the run knew. */
  readonly owed: readonly Owed[]
  readonly startedBy: string
  readonly endedAt: Instant | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly revision: number
}

export interface RunSnapshot extends RunSummary {
  readonly files: readonly FileSnapshot[]
}

export type RunStep = Step<RunEvent, RunSnapshot>

/** Folds the events of one run, in order from its first, into what each of them made of it. */
export const historyOfRun = (events: readonly Recorded<RunEvent>[]): readonly RunStep[] => {
  const known = new Map<FileState, FileSnapshot>()
  // a file that did not change stays the same object, so that a long run is compared quickly
  const fileOf = (file: FileState, index: number): FileSnapshot => {
    const before = known.get(file)
    if (before !== undefined) return before
    const { fileName, status, open, retryAttempt, errorCode, errorMessage, lastRetriedAt } = file
    const snapshot = { index, fileName, status, open, retryAttempt, errorCode, errorMessage, lastRetriedAt }
    known.set(file, snapshot)
    return snapshot
  }
  return stepsOf(
    {
      initial: initialState,
      evolve,
      snapshotOf: (state: RunState, at, revision): RunSnapshot | null =>
        state.status === 'NONE' ? null : { ...summaryOf(state, at, revision), files: state.files.map(fileOf) },
      namesOf: ({ type }) => [names[type]],
    },
    events,
  )
}

const summaryOf = (state: StartedRun, updatedAt: Instant, revision: number): RunSummary => {
  const { monthly, purchased } = costOf(state.charges)
  return {
    status: state.status,
    tenantId: state.tenantId,
    templateId: state.templateId,
    templateName: state.templateName,
    creditsPerRun: state.creditsPerRun,
    batchMode: state.batchMode,
    testRun: state.testRun,
    maxRetryCount: state.maxRetryCount,
    totalJobs: state.files.length,
    completedJobs: state.completedJobs,
    failedJobs: state.failedJobs,
    round: state.round,
    roundJobs: state.roundJobs,
    creditsFromMonthly: monthly,
    creditsFromPurchased: purchased,
    charges: state.charges,
    owed: state.owed,
    startedBy: state.startedBy,
    endedAt: state.endedAt,
    createdAt: state.createdAt,
    updatedAt,
    revision,
  }
}

const names: Readonly<Record<RunEvent['type'], string>> = {
  RunInitiated: 'INITIATED',
  RunBegan: 'BEGAN',
  RunFilesNoted: 'FILES_NOTED',
  RunEnded: 'ENDED',
  RunResumed: 'RESUMED',
  RunCancelled: 'CANCELLED',
  RunDispatchFailed: 'DISPATCH_FAILED',
  RunRefunded: 'REFUNDED',
  RunChargeAbandoned: 'CHARGE_ABANDONED',
}
