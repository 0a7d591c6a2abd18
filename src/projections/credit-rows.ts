import type { CreditsEvent, Pool, Split } from '../domain/credits/events.ts'
import { signs } from '../domain/credits/transitions.ts'
import type { RowWrite } from './row-write.ts'

/** An entry of the ledger, and the balances after it: of the month's pool and of the purchased credits. */
export const creditRows = (tenantId: string, revision: number, event: CreditsEvent): readonly RowWrite[] => {
  const { left, at, actor } = event
  const sign = signs[event.type]
  const moved = movedBy(event)
  const balance = (pool: Pool): RowWrite => ({
    table: 'command_bus_credit_account',
    kind: 'put',
    row: {
      tenant_id: tenantId,
      pool,
      month: pool === 'monthly' ? left.month : '',
      balance: left[pool],
      updated_at: at,
      revision,
    },
  })
  return [
    {
      table: 'command_bus_credit_entry',
      kind: 'put',
      row: {
        tenant_id: tenantId,
        revision,
        kind: kinds[event.type],
        // no -0 in the ledger
        monthly: moved.monthly === 0 ? 0 : sign * moved.monthly,
        purchased: moved.purchased === 0 ? 0 : sign * moved.purchased,
        month: left.month,
        run_id: 'runId' in event ? event.runId : null,
        charge_id: 'chargeId' in event ? event.chargeId : null,
        reason: 'reason' in event ? event.reason : null,
        actor,
        at,
        monthly_left: left.monthly,
        purchased_left: left.purchased,
      },
    },
    balance('monthly'),
    balance('purchased'),
  ]
}

const kinds = { CreditsGranted: 'GRANT', CreditsCharged: 'CHARGE', CreditsRefunded: 'REFUND' } as const

const movedBy = (event: CreditsEvent): Pick<Split, 'monthly' | 'purchased'> => {
  switch (event.type) {
    case 'CreditsGranted':
      return { monthly: 0, purchased: 0, [event.pool]: event.amount }
    case 'CreditsCharged':
      return event.taken
    case 'CreditsRefunded':
      return event.returned
  }
}
