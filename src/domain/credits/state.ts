import type { Month, Pool, Split } from './events.ts'
import { emptyIndex, type LedgerIndex } from './ledger-index.ts'

export interface ChargeState {
  readonly runId: string
  readonly taken: Split
  readonly refunded: boolean
}

export interface GrantState {
  readonly pool: Pool
  readonly amount: number
}

/** A tenant's account. It exists from the beginning, with a balance of 0. */
export interface CreditsState {
  /** The balance of each month's pool. It is not carried over to the next month. */
  readonly months: { readonly [month: Month]: number }
  readonly purchased: number
  readonly charges: LedgerIndex<ChargeState>
  readonly grants: LedgerIndex<GrantState>
}

export const initialState: CreditsState = { months: {}, purchased: 0, charges: emptyIndex, grants: emptyIndex }

/** What can be spent in a month. */
export const balanceIn = (state: CreditsState, month: Month): Split => ({
  monthly: state.months[month] ?? 0,
  purchased: state.purchased,
  month,
})
