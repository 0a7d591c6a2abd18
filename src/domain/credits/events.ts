import type { Instant } from '../instant.ts'

/** Monthly credits end with their month; purchased ones stay until they are spent. */
export type Pool = 'monthly' | 'purchased'

export const pools: readonly Pool[] = ['monthly', 'purchased']

/** A month in UTC, as in `2026-11`. */
export type Month = string

export const monthOf = (at: Instant): Month => at.slice(0, 7)

/** Credits by pool; `month` says which month's pool the monthly part belongs to. */
export interface Split {
  readonly monthly: number
  readonly purchased: number
  readonly month: Month
}

interface Fact {
  readonly at: Instant
  readonly actor: string
  /** The balances afterwards, of the named month and of the purchased credits. */
  readonly left: Split
}

export interface CreditsGranted extends Fact {
  readonly type: 'CreditsGranted'
  readonly grantId: string
  readonly pool: Pool
  readonly amount: number
  readonly reason: string
}

export interface CreditsCharged extends Fact {
  readonly type: 'CreditsCharged'
  readonly chargeId: string
  readonly runId: string
  readonly taken: Split
}

export interface CreditsRefunded extends Fact {
  readonly type: 'CreditsRefunded'
  readonly chargeId: string
  readonly runId: string
  readonly returned: Split
  readonly reason: string
}

export type CreditsEvent = CreditsGranted | CreditsCharged | CreditsRefunded
export type CreditsEventType = CreditsEvent['type']
