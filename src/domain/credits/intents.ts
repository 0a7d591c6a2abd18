import type { IntentBase } from '../intent-base.ts'
import type { Pool } from './events.ts'

export interface Grant extends IntentBase {
  readonly type: 'Grant'
  /** The same grant twice counts once. */
  readonly grantId: string
  readonly pool: Pool
  readonly amount: number
  readonly reason: string
}

/** All of `amount` or nothing: from this month's pool first, then from what was purchased. */
export interface ChargeCredits extends IntentBase {
  readonly type: 'Charge'
  readonly chargeId: string
  readonly runId: string
  readonly amount: number
}

/** Gives a charge back to the pools it came from, once. `amount` is less than all of it where only a part is owed. */
export interface Refund extends IntentBase {
  readonly type: 'Refund'
  readonly chargeId: string
  readonly amount: number
  readonly reason: string
}

export type CreditsIntent = Grant | ChargeCredits | Refund
