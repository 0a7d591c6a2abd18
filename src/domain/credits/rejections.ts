/** Why an intent was refused. A refusal leaves no event. */
export type CreditsRejection =
  | { readonly type: 'InsufficientCredits'; readonly needed: number; readonly available: number }
  | { readonly type: 'NotAnAmount'; readonly amount: number }
  | { readonly type: 'UnknownCharge'; readonly chargeId: string }
  /** The balance would be more than can be counted exactly. */
  | { readonly type: 'TooMuch' }
