import type { IntentBase } from '../intent-base.ts'
import type { Pool } from './events.ts'

export interface Grant extends IntentBase {
  readonly type: 'Grant'
  /** A second grant with the same id counts once. */
  readonly grantId: string
  readonly pool: Pool
  readonly amount: number
  readonly reason: string
}

/** Takes all of `amount` or nothing: from this month's pool first, then from the purchased credits. */
export interface ChargeCredits extends IntentBase {
  readonly type: 'Charge'
  readonly chargeId: string
  readonly runId: string
  readonly amount: number
}

/** Gives a charge, or a part of it, back to the pools it came from, once. */
export interface Refund extends IntentBase {
  readonly type: 'Refund'
  readonly chargeId: string
  readonly amount: number
  readonly reason: string
}

export type CreditsIntent = Grant | ChargeCredits | Refund
