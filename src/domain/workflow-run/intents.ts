import type { IntentBase } from '../intent-base.ts'
import type { Charge, FileResult, NewFile, Returned, RunTerms } from './events.ts'

export interface Initiate extends IntentBase, RunTerms {
  readonly type: 'Initiate'
  readonly files: readonly NewFile[]
  /** What was charged for it; null: it is free. */
  readonly charge: Charge | null
}

/** A worker has been seen at one of its files. */
export interface Begin extends IntentBase {
  readonly type: 'Begin'
  readonly round: number
}

/** How jobs of a round ended, as far as it is known; what is known already, or of another round, changes nothing. */
export interface NoteResults extends IntentBase {
  readonly type: 'NoteResults'
  readonly round: number
  readonly results: readonly FileResult[]
}

export interface RetryFailed extends IntentBase {
  readonly type: 'RetryFailed'
  /** Names this very request, so that its repetition changes nothing. A charge made for it has the same id. */
  readonly retryId: string
  readonly charge: Charge | null
}

export interface CancelRun extends IntentBase {
  readonly type: 'Cancel'
  readonly reason: string | null
}

/** The jobs of a round could not be put on the queue, for good. */
export interface FailDispatch extends IntentBase {
  readonly type: 'FailDispatch'
  readonly round: number
  readonly code: string
  readonly message: string
}

/** What was given back to the ledger of what this run owed. */
export interface NoteRefund extends IntentBase {
  readonly type: 'NoteRefund'
  readonly returned: readonly Returned[]
}

/** A charge that no start and no retry of this run ever claimed is about to be given back: it must not be claimed any more. */
export interface AbandonCharge extends IntentBase {
  readonly type: 'AbandonCharge'
  readonly chargeId: string
}

export type RunIntent =
  | Initiate
  | Begin
  | NoteResults
  | RetryFailed
  | CancelRun
  | FailDispatch
  | NoteRefund
  | AbandonCharge
