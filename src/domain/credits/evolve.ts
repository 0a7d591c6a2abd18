import type { CreditsEvent } from './events.ts'
import { find, put } from './ledger-index.ts'
import type { CreditsState } from './state.ts'

/** The account after one more event. Total: what is in the ledger has happened. */
export const evolve = (state: CreditsState, event: CreditsEvent): CreditsState => {
  const { left } = event
  const balances = { months: { ...state.months, [left.month]: left.monthly }, purchased: left.purchased }
  switch (event.type) {
    case 'CreditsGranted':
      return {
        ...balances,
        charges: state.charges,
        grants: put(state.grants, event.grantId, { pool: event.pool, amount: event.amount }),
      }
    case 'CreditsCharged': {
      const { chargeId, runId, taken } = event
      return {
        ...balances,
        charges: put(state.charges, chargeId, { runId, taken, refunded: false }),
        grants: state.grants,
      }
    }
    case 'CreditsRefunded': {
      const charged = find(state.charges, event.chargeId)
      return {
        ...balances,
        charges:
          charged === undefined ? state.charges : put(state.charges, event.chargeId, { ...charged, refunded: true }),
        grants: state.grants,
      }
    }
  }
}
