import { isLeft } from 'fp-ts/lib/Either.js'
import type { CreditsEvent } from '../../domain/credits/events.ts'
import { credits } from '../../domain/credits/index.ts'
import type { CreditsState } from '../../domain/credits/state.ts'
import { decideAll } from '../../domain/decider.ts'
import type { Charge } from '../../domain/workflow-run/events.ts'
import { workflowRun } from '../../domain/workflow-run/index.ts'
import type { RunIntent } from '../../domain/workflow-run/intents.ts'
import type { RunState, StartedRun } from '../../domain/workflow-run/state.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { WorkflowRun } from '../ports/reading/workflow-queries.ts'
import { TooLargeError } from '../shared/errors.ts'
import { createKeyedQueue } from '../shared/keyed-queue.ts'
import { creditsRefusal, runRefusal } from './run-errors.ts'
import type { RunJobs } from './run-jobs.ts'
import type { RunProcess } from './run-process.ts'
import { toWorkflowRun } from './run-view.ts'
import type { WorkflowStore } from './workflow-store.ts'

export interface PaymentDeps {
  readonly workflows: WorkflowStore
  readonly jobs: RunJobs
  readonly process: RunProcess
  readonly clock: Clock
  readonly log: Log
  /** Called when jobs were sent. */
  readonly onStarted: () => void
}

export interface Paid {
  readonly runId: string
  readonly tenantId: string
  readonly actor: string
  /** The id of the request, and of its charge. */
  readonly requestId: string
  /** The price for this state. @throws the refusal, as a public error */
  readonly price: (state: RunState) => number
  readonly intent: (charge: Charge | null) => RunIntent
}

/** Starts and continues runs at their price, so that nothing is paid that does not run, and nothing runs unpaid. */
export const createPayment = (deps: PaymentDeps) => {
  const { workflows, jobs, process, clock, log } = deps
  const inTurn = createKeyedQueue()

  /** The charge for a turn of the run, made together with it or right before it. */
  const chargeOf = (
    account: CreditsState,
    charge: { readonly chargeId: string; readonly runId: string; readonly amount: number; readonly actor: string },
  ) => {
    if (charge.amount === 0) return { charge: null, events: [] as readonly CreditsEvent[] }
    const decided = credits.decide({ ...charge, type: 'Charge', at: clock.now().toISOString() }, account)
    if (isLeft(decided)) throw creditsRefusal(decided.left)
    const [charged] = decided.right
    if (charged?.type !== 'CreditsCharged') throw new Error('a charge has an id of its own')
    return { charge: { chargeId: charge.chargeId, taken: charged.taken }, events: decided.right }
  }

  /** Appends charge, run and jobs together, all or nothing. */
  const payTogether = ({ runId, tenantId, actor, requestId, price, intent }: Paid): Promise<StartedRun> =>
    workflows.together(async () => {
      const loaded = await workflows.loadRun(runId)
      const amount = price(loaded.state)
      const account = amount === 0 ? null : await workflows.loadCredits(tenantId)
      const paid = account === null ? null : chargeOf(account.state, { chargeId: requestId, runId, amount, actor })
      const decided = decideAll(workflowRun, [intent(paid?.charge ?? null)], loaded.state)
      if (isLeft(decided)) throw runRefusal(runId, decided.left)
      const { events, state } = decided.right
      const run = state as StartedRun
      return {
        appends: [
          ...workflows.ofRun(runId, tenantId, loaded, events),
          ...(account === null || paid === null ? [] : workflows.ofCredits(tenantId, account, paid.events)),
          ...jobs.appendsOf(await jobs.prepareJobs(runId, run, actor)),
        ],
        answer: run,
      }
    })

  /** For a log that appends to one stream at a time: charge, run, then jobs. What a crash leaves out is settled later. */
  const payFirst = async ({ runId, tenantId, actor, requestId, price, intent }: Paid): Promise<StartedRun> => {
    const amount = price((await workflows.loadRun(runId)).state)
    const charge = await workflows.together(async () => {
      const account = await workflows.loadCredits(tenantId)
      const paid = chargeOf(account.state, { chargeId: requestId, runId, amount, actor })
      return { appends: workflows.ofCredits(tenantId, account, paid.events), answer: paid.charge }
    })
    const giveBack = async (): Promise<void> => {
      if (charge === null) return
      await process.giveBack({ tenantId, runId, chargeId: requestId, amount }).catch(laterSettled(runId))
    }
    const run = await workflows
      .together(async () => {
        const loaded = await workflows.loadRun(runId)
        const decided = decideAll(workflowRun, [intent(charge)], loaded.state)
        const refused = isLeft(decided) ? decided.left : null
        const done = isLeft(decided) ? null : decided.right
        return {
          appends: done === null ? [] : workflows.ofRun(runId, tenantId, loaded, done.events),
          answer: { refused, run: done === null ? null : (done.state as StartedRun) },
        }
      })
      .catch(async error => {
        // certainly not appended; other failures leave that open
        if (error instanceof TooLargeError) await giveBack()
        throw error
      })
    if (run.refused !== null) {
      // another request won, so no run has this charge
      await giveBack()
      throw runRefusal(runId, run.refused)
    }
    await process.dispatch(runId, run.run as StartedRun)
    return run.run as StartedRun
  }

  const laterSettled = (runId: string) => (error: unknown) =>
    log.error({ err: error, runId }, 'a charge could not be refunded yet; another try follows')

  /** One at a time for each tenant, because its runs share credits. @throws errors of `price`, credits and run */
  return async (paid: Paid): Promise<WorkflowRun> => {
    const run = await inTurn(paid.tenantId, () => (workflows.atomic ? payTogether(paid) : payFirst(paid)))
    deps.onStarted()
    return toWorkflowRun(paid.runId, run)
  }
}
