import type { Split } from '../credits/events.ts'
import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'
import type { RunStatus } from './status.ts'

/** A file as it is handed in. Its place in the list is its index and never changes. */
export interface NewFile {
  readonly fileName: string
  readonly input: Json
}

/** `pending`: waits for its job, or an internal failure left it without an outcome. `error`: permanent. */
export type FileStatus = 'pending' | 'completed' | 'failed' | 'error'

/**
 * How a file's job ended. `interrupted`: an internal failure left it without an outcome; `cancelled`: the run was cancelled
 * before an outcome. Both leave the file pending.
 */
export type FileOutcome = 'completed' | 'failed' | 'error' | 'interrupted' | 'cancelled'

export interface FileResult {
  readonly index: number
  readonly outcome: FileOutcome
  readonly errorCode: string | null
  readonly errorMessage: string | null
}

export interface Charge {
  readonly chargeId: string
  readonly taken: Split
}

/** A refund that the run owes: `amount` credits of a charge. */
export interface Owed {
  readonly chargeId: string
  readonly amount: number
  readonly reason: string
}

export interface Returned {
  readonly chargeId: string
  readonly returned: Split
}

/** Fixed when a run begins. */
export interface RunTerms {
  readonly tenantId: string
  readonly templateId: string
  readonly templateName: string
  /** The price of a file. */
  readonly creditsPerRun: number
  readonly batchMode: boolean
  readonly testRun: boolean
  readonly maxRetryCount: number
}

interface Fact {
  readonly at: Instant
  readonly actor: string
}

export interface RunInitiated extends Fact, RunTerms {
  readonly type: 'RunInitiated'
  readonly files: readonly NewFile[]
  readonly charge: Charge | null
}

export interface RunBegan extends Fact {
  readonly type: 'RunBegan'
  readonly round: number
}

/** Counters are those of the round after these results; so is the status, before an end of the run. */
export interface RunFilesNoted extends Fact {
  readonly type: 'RunFilesNoted'
  readonly round: number
  readonly status: RunStatus
  readonly results: readonly FileResult[]
  readonly completedJobs: number
  readonly failedJobs: number
}

/** No file of the round is open any more. */
export interface RunEnded extends Fact {
  readonly type: 'RunEnded'
  readonly round: number
  readonly status: RunStatus
  readonly refunds: readonly Owed[]
  /** Nothing is open or owed after this. */
  readonly settled: boolean
}

export interface RetriedFile {
  readonly index: number
  readonly retryAttempt: number
  /** A failed file is charged again; one that an internal failure left pending only if the run was refunded. */
  readonly charged: boolean
}

/** The totals are what the run has cost after this, from each pool. */
export interface RunResumed extends Fact {
  readonly type: 'RunResumed'
  readonly retryId: string
  readonly round: number
  readonly files: readonly RetriedFile[]
  readonly charge: Charge | null
  readonly creditsFromMonthly: number
  readonly creditsFromPurchased: number
}

export interface RunCancelled extends Fact {
  readonly type: 'RunCancelled'
  readonly reason: string | null
}

/** A file as it was before a round that could not be dispatched. */
export interface RestoredFile {
  readonly index: number
  readonly status: FileStatus
  readonly retryAttempt: number
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly lastRetriedAt: Instant | null
}

export interface RunDispatchFailed extends Fact {
  readonly type: 'RunDispatchFailed'
  readonly round: number
  readonly code: string
  readonly message: string
  /** A part of them where the status is active: more follow. */
  readonly restored: readonly RestoredFile[]
  readonly status: RunStatus
  readonly refunds: readonly Owed[]
  /** Nothing is open or owed after this. */
  readonly settled: boolean
}

/** The totals are what the run has cost after this, from each pool. */
export interface RunRefunded extends Fact {
  readonly type: 'RunRefunded'
  readonly returned: readonly Returned[]
  readonly creditsFromMonthly: number
  readonly creditsFromPurchased: number
  readonly settled: boolean
}

export interface RunChargeAbandoned extends Fact {
  readonly type: 'RunChargeAbandoned'
  readonly chargeId: string
}

export type RunEvent =
  | RunInitiated
  | RunBegan
  | RunFilesNoted
  | RunEnded
  | RunResumed
  | RunCancelled
  | RunDispatchFailed
  | RunRefunded
  | RunChargeAbandoned

export type RunEventType = RunEvent['type']
