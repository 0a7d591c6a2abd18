import { isLeft } from 'fp-ts/lib/Either.js'
import { partOf } from '../../domain/credits/decide.ts'
import type { CreditsEvent } from '../../domain/credits/events.ts'
import { credits } from '../../domain/credits/index.ts'
import { find } from '../../domain/credits/ledger-index.ts'
import type { CreditsState } from '../../domain/credits/state.ts'
import { decideAll, fold } from '../../domain/decider.ts'
import type { Owed, Returned } from '../../domain/workflow-run/events.ts'
import { workflowRun } from '../../domain/workflow-run/index.ts'
import type { RunIntent } from '../../domain/workflow-run/intents.ts'
import type { StartedRun } from '../../domain/workflow-run/state.ts'
import type { Clock } from '../ports/clock.ts'
import { creditsRefusal, runRefusal } from './run-errors.ts'
import type { WorkflowStore } from './workflow-store.ts'

export interface SettleDeps {
  readonly workflows: WorkflowStore
  readonly clock: Clock
}

/** The runner's name in the audit. */
export const RUNNER = 'workflow-runs'

/**
 * Makes turns of a run that also refund what the run then owes. If the log can, the refund is in the same append, so that a
 * failed run is never seen with its price. Otherwise it follows at once, or is made by the next
 * process that handles the run.
 */
export const createRunTurn = ({ workflows, clock }: SettleDeps) => {
  const plain = async (runId: string, intents: readonly RunIntent[]): Promise<StartedRun> =>
    workflows.together(async () => {
      const loaded = await workflows.loadRun(runId)
      const decided = decideAll(workflowRun, intents, loaded.state)
      if (isLeft(decided)) throw runRefusal(runId, decided.left)
      const { events, state } = decided.right
      const run = state as StartedRun
      if (!workflows.atomic || run.owed.length === 0) {
        return { appends: workflows.ofRun(runId, run.tenantId, loaded, events), answer: run }
      }
      const account = await workflows.loadCredits(run.tenantId)
      const back = refundAll(account.state, run.owed, clock.now().toISOString())
      const refunded = decideAll(workflowRun, [noteRefund(clock, back.returned)], state)
      if (isLeft(refunded)) throw runRefusal(runId, refunded.left)
      return {
        appends: [
          ...workflows.ofRun(runId, run.tenantId, loaded, [...events, ...refunded.right.events]),
          ...workflows.ofCredits(run.tenantId, account, back.events),
        ],
        answer: refunded.right.state as StartedRun,
      }
    })

  /** Appends to the ledger, then to the run: after a crash in between, the first is repeated and changes nothing. */
  const settle = async (runId: string, run: StartedRun): Promise<StartedRun> => {
    const returned = await workflows.together(async () => {
      const account = await workflows.loadCredits(run.tenantId)
      const back = refundAll(account.state, run.owed, clock.now().toISOString())
      return { appends: workflows.ofCredits(run.tenantId, account, back.events), answer: back.returned }
    })
    return plain(runId, [noteRefund(clock, returned)])
  }

  return async (runId: string, intents: readonly RunIntent[]): Promise<StartedRun> => {
    const run = await plain(runId, intents)
    return run.owed.length === 0 ? run : settle(runId, run)
  }
}

const noteRefund = (clock: Clock, returned: readonly Returned[]): RunIntent => ({
  type: 'NoteRefund',
  at: clock.now().toISOString(),
  actor: RUNNER,
  returned,
})

const refundAll = (
  before: CreditsState,
  owed: readonly Owed[],
  at: string,
): { readonly events: readonly CreditsEvent[]; readonly returned: readonly Returned[] } => {
  const events: CreditsEvent[] = []
  const returned: Returned[] = []
  let account = before
  for (const { chargeId, amount, reason } of owed) {
    const charge = find(account.charges, chargeId)
    const decided = credits.decide({ type: 'Refund', at, actor: RUNNER, chargeId, amount, reason }, account)
    if (isLeft(decided)) throw creditsRefusal(decided.left)
    events.push(...decided.right)
    account = fold(credits, decided.right, account)
    if (charge !== undefined) returned.push({ chargeId, returned: partOf(charge.taken, amount) })
  }
  return { events, returned }
}
