import type { RunStatus } from './status.ts'

/** Why an intent was refused. A refusal leaves no event. */
export type RunRejection =
  | { readonly type: 'NotFound' }
  | { readonly type: 'AlreadyThere' }
  | { readonly type: 'NoFiles' }
  | { readonly type: 'AlreadyRunning'; readonly status: RunStatus }
  | { readonly type: 'AlreadyCompleted' }
  | { readonly type: 'AlreadyCancelled' }
  | { readonly type: 'NothingToRetry' }
  | { readonly type: 'MaxRetriesExceeded'; readonly max: number }
  /** It is over: there is nothing to cancel. */
  | { readonly type: 'NotRunning'; readonly status: RunStatus }
  /** The charge is not the amount that is needed now: plan again. */
  | { readonly type: 'ChargeDoesNotFit'; readonly needed: number }
  /** The charge was refunded meanwhile. */
  | { readonly type: 'ChargeAbandoned' }
  | { readonly type: 'ChargeInUse' }
