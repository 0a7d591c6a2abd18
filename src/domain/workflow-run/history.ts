import { fold } from '../decider.ts'
import { type Step, stepsOf } from '../history.ts'
import type { Instant } from '../instant.ts'
import type { Recorded } from '../recorded.ts'
import type { FileStatus, Owed, RunEvent, RunTerms } from './events.ts'
import { evolve } from './evolve.ts'
import { type ChargeOfRun, costOf, type FileState, initialState, type RunState, type StartedRun } from './state.ts'
import type { RunStatus } from './status.ts'

/** A file as it stood, without its data, which is in the first event. */
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

/** A run as it stood after one of its events, with the names of the read table, without its files. */
export interface RunSummary extends RunTerms {
  readonly status: RunStatus
  readonly totalJobs: number
  readonly completedJobs: number
  readonly failedJobs: number
  readonly round: number
  readonly roundJobs: number
  /** Credits spent, less refunds. */
  readonly creditsFromMonthly: number
  readonly creditsFromPurchased: number
  readonly charges: readonly ChargeOfRun[]
  /** Refunds that were not yet known to have reached the ledger. */
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

/** Folds the events of one run, in order from the first, into one step for each. */
export const historyOfRun = (events: readonly Recorded<RunEvent>[]): Iterable<RunStep> => {
  let known: { readonly files: readonly FileState[]; readonly snapshots: readonly FileSnapshot[] } = none
  // a file that did not change stays the same object, so that a long run is compared quickly
  const filesOf = (files: readonly FileState[]): readonly FileSnapshot[] => {
    const { files: before, snapshots: made } = known
    const snapshots = files.map((file, i) => (file === before[i] ? (made[i] as FileSnapshot) : fileOf(file, i)))
    known = { files, snapshots }
    return snapshots
  }
  return stepsOf(
    {
      initial: initialState,
      evolve,
      snapshotOf: (state: RunState, at, revision): RunSnapshot | null =>
        state.status === 'NONE' ? null : { ...summaryOf(state, at, revision), files: filesOf(state.files) },
      namesOf: ({ type }) => [names[type]],
    },
    events,
  )
}

const none = { files: [], snapshots: [] }

/** The run with its files as it stood after the event of a revision; null: it had not begun. */
export const runAt = (events: readonly Recorded<RunEvent>[], revision: number): RunSnapshot | null => {
  const past = events.filter(event => event.revision <= revision)
  const state = fold(
    { initial: initialState, evolve },
    past.map(({ event }) => event),
  )
  const last = past.at(-1)
  return last === undefined || state.status === 'NONE'
    ? null
    : { ...summaryOf(state, last.event.at, last.revision), files: state.files.map(fileOf) }
}

const fileOf = (file: FileState, index: number): FileSnapshot => {
  const { fileName, status, open, retryAttempt, errorCode, errorMessage, lastRetriedAt } = file
  return { index, fileName, status, open, retryAttempt, errorCode, errorMessage, lastRetriedAt }
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
