import { isLeft } from 'fp-ts/lib/Either.js'
import { type Month, monthOf, type Pool } from '../../domain/credits/events.ts'
import { credits } from '../../domain/credits/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Page } from '../ports/reading/command-queries.ts'
import type { CreditEntry, EntryFilter, WorkflowQueries } from '../ports/reading/workflow-queries.ts'
import { commandIdOf, optional, pagingOf, textOf } from '../shared/input.ts'
import { creditsRefusal } from './run-errors.ts'
import { amountOf, poolOf, tenantOf } from './workflow-input.ts'
import type { WorkflowStore } from './workflow-store.ts'

/** The credits that a tenant can spend now. */
export interface CreditBalance {
  readonly tenantId: string
  /** The rest of this month's pool, which is not carried over. */
  readonly monthly: number
  readonly purchased: number
  /** The month in UTC, as in `2026-11`. */
  readonly month: Month
}

/** Credits for a tenant. */
export interface GrantCredits {
  /** `monthly`: valid for the present month in UTC; `purchased`: valid until spent. */
  readonly pool: Pool
  /** A whole number from 1 to 1,000,000,000. */
  readonly amount: number
  readonly reason: string
  /** A UUID from the caller. The same grant again counts once; with another pool or amount it is refused. */
  readonly grantId?: string
}

export interface CreditsDeps {
  readonly workflows: WorkflowStore
  readonly queries: Pick<WorkflowQueries, 'balances' | 'entries'>
  readonly clock: Clock
  readonly ids: Ids
}

/** A tenant's credits: an append-only ledger with two pools. */
export const createCredits = ({ workflows, queries, clock, ids }: CreditsDeps) => ({
  /** The credits of a tenant in this month. */
  balance: async (tenant: string): Promise<CreditBalance> => {
    const tenantId = tenantOf(tenant)
    const month = monthOf(clock.now().toISOString())
    return { tenantId, ...(await queries.balances(tenantId, month)), month }
  },

  /** The ledger, newest first. */
  entries: async (tenant: string, filter: EntryFilter = {}): Promise<Page<CreditEntry>> =>
    queries.entries(tenantOf(tenant), pagingOf(filter)),

  /** Adds credits and returns the new balance. @throws InvalidInputError, GrantConflictError */
  grant: async (by: string, tenant: string, given: GrantCredits): Promise<CreditBalance> => {
    const tenantId = tenantOf(tenant)
    const intent = {
      type: 'Grant' as const,
      actor: textOf(by, 'actor', 200),
      grantId: optional(given.grantId, id => commandIdOf(id, 'grantId')) ?? ids.next(),
      pool: poolOf(given.pool),
      amount: amountOf(given.amount),
      reason: textOf(given.reason, 'reason'),
    }
    return workflows.together(async () => {
      const account = await workflows.loadCredits(tenantId)
      const at = clock.now().toISOString()
      const decided = credits.decide({ ...intent, at }, account.state)
      if (isLeft(decided)) throw creditsRefusal(decided.left)
      const { months, purchased } = decided.right.reduce(credits.evolve, account.state)
      const month = monthOf(at)
      return {
        appends: workflows.ofCredits(tenantId, account, decided.right),
        answer: { tenantId, monthly: months[month] ?? 0, purchased, month },
      }
    })
  },
})

export type Credits = ReturnType<typeof createCredits>
