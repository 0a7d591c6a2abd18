import type { Pool } from './events.ts'

/** Why an intent was refused. A refusal leaves no event. */
export type CreditsRejection =
  | { readonly type: 'InsufficientCredits'; readonly needed: number; readonly available: number }
  | { readonly type: 'NotAnAmount'; readonly amount: number }
  | { readonly type: 'UnknownCharge'; readonly chargeId: string }
  /** The id belongs to another grant, of `amount` to `pool`. */
  | { readonly type: 'GrantDiffers'; readonly grantId: string; readonly pool: Pool; readonly amount: number }
  /** The balance would be more than can be counted exactly. */
  | { readonly type: 'TooMuch' }
