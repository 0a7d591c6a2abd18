import type { IntentBase } from '../intent-base.ts'
import type { Charge, FileResult, NewFile, Returned, RunTerms } from './events.ts'

export interface Initiate extends IntentBase, RunTerms {
  readonly type: 'Initiate'
  readonly files: readonly NewFile[]
  /** Null: it is free. */
  readonly charge: Charge | null
}

/** A worker has begun one of its files. */
export interface Begin extends IntentBase {
  readonly type: 'Begin'
  readonly round: number
}

/** How jobs of a round ended. Results that are known already, or of another round, change nothing. */
export interface NoteResults extends IntentBase {
  readonly type: 'NoteResults'
  readonly round: number
  readonly results: readonly FileResult[]
}

export interface RetryFailed extends IntentBase {
  readonly type: 'RetryFailed'
  /** Identifies the request, so that its repetition changes nothing. Its charge has the same id. */
  readonly retryId: string
  readonly charge: Charge | null
}

export interface CancelRun extends IntentBase {
  readonly type: 'Cancel'
  readonly reason: string | null
}

/** The jobs of a round cannot be queued, now or later. */
export interface FailDispatch extends IntentBase {
  readonly type: 'FailDispatch'
  readonly round: number
  readonly code: string
  readonly message: string
}

/** Refunds of this run that have reached the ledger. */
export interface NoteRefund extends IntentBase {
  readonly type: 'NoteRefund'
  readonly returned: readonly Returned[]
}

/** A charge that no start and no retry of this run claimed will be refunded: from now on it must not be claimed. */
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
