import { isLeft } from 'fp-ts/lib/Either.js'
import { type CreditsEvent, monthOf } from '../domain/credits/events.ts'
import { credits } from '../domain/credits/index.ts'
import type { CreditsState } from '../domain/credits/state.ts'
import type { Charge } from '../domain/workflow-run/events.ts'
import type { RunIntent } from '../domain/workflow-run/intents.ts'
import { planRetry } from '../domain/workflow-run/retry.ts'
import type { RunState, StartedRun } from '../domain/workflow-run/state.ts'
import { ForbiddenError, InvalidOperationError } from './errors.ts'
import { commandIdOf, limitOf, optional, textOf } from './input.ts'
import { createKeyedQueue } from './keyed-queue.ts'
import type { Clock } from './ports/clock.ts'
import type { Page } from './ports/command-queries.ts'
import { EventDecodeError } from './ports/event-store.ts'
import type { Ids } from './ports/ids.ts'
import type { Log } from './ports/log.ts'
import type { RunFilter, WorkflowQueries, WorkflowRun } from './ports/workflow-queries.ts'
import { momentsOf } from './read-history.ts'
import { type RunHistory, type RunHistoryOptions, replayRun } from './read-run-history.ts'
import {
  creditsRefusal,
  RunNotFoundError,
  RunNotRetriableError,
  runRefusal,
  TemplateNotFoundError,
} from './run-errors.ts'
import type { RunJobs } from './run-jobs.ts'
import type { RunProcess } from './run-process.ts'
import { viewOf } from './run-view.ts'
import { DEFAULT_RETRY_COUNT, DEFAULT_TENANT, filesOf, retryCountOf, runStatusOf, tenantOf } from './workflow-input.ts'
import { decideRun, type WorkflowStore } from './workflow-store.ts'
import type { Asker } from './workflow-templates.ts'

export interface StartRun {
  readonly templateId: string
  /** 1 to 10,000 files; the inputs together have at most 1 MiB as JSON. */
  readonly files: readonly { readonly fileName: string; readonly input: unknown }[]
  /** How often a file may be continued at a price: 1-10, default 3. */
  readonly maxRetryCount?: number
  /** For callers without a tenant. Default `default`. */
  readonly tenantId?: string
}

/** Who starts a run. `testRun`: free; decided by who it is, never by what is asked for. */
export interface Starter extends Asker {
  readonly testRun?: boolean
}

/** What a Continue would do now, and why it cannot. */
export interface RetryPreview {
  /** The run. */
  readonly id: string
  /** Files that would be retried. */
  readonly files: number
  readonly failedFiles: number
  /** Left without an outcome by a failure of ours: retried for free. */
  readonly pendingFiles: number
  readonly creditsNeeded: number
  readonly creditsAvailable: number
  /** Null: nothing is in the way. */
  readonly blockedBy: string | null
  /** The same in a sentence. */
  readonly message: string | null
}

export interface RunsDeps {
  readonly workflows: WorkflowStore
  readonly jobs: RunJobs
  readonly process: RunProcess
  readonly queries: Pick<WorkflowQueries, 'template' | 'run' | 'runs' | 'balances'>
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** Called once jobs are on their way. */
  readonly onStarted: () => void
}

/** Runs of workflows over many files, paid with credits. */
export const createRuns = (deps: RunsDeps) => {
  const { workflows, jobs, process, queries, clock, ids, log } = deps
  const inTurn = createKeyedQueue()
  const now = (): string => clock.now().toISOString()

  /** @throws RunNotFoundError; ForbiddenError for another tenant's, which is told to the log */
  const demandOwn = (asker: Asker, runId: string, tenantId: string | null): void => {
    if (tenantId === null) throw new RunNotFoundError(runId)
    if (asker.tenant === null || asker.tenant === tenantId) return
    log.warn(
      { security: 'cross-tenant access', subject: asker.subject, tenant: asker.tenant, runId, ownedBy: tenantId },
      'a workflow run of another tenant was asked for',
    )
    throw new ForbiddenError('this workflow run belongs to another tenant')
  }

  /** As its rows say, which may be behind where they follow the log: then as the log says. */
  const look = async (runId: string): Promise<WorkflowRun | null> => {
    const row = await queries.run(runId)
    if (workflows.inline) return row
    const { state } = await workflows.loadRun(runId)
    if (state.status === 'NONE' || (row !== null && row.updatedAt >= state.updatedAt)) return row
    return viewOf(runId, state)
  }

  /** What a turn of the run costs, as a charge that is made together with it or right before it. */
  const chargeOf = (
    account: CreditsState,
    charge: { readonly chargeId: string; readonly runId: string; readonly amount: number; readonly actor: string },
  ) => {
    if (charge.amount === 0) return { charge: null, events: [] as readonly CreditsEvent[] }
    const decided = credits.decide({ ...charge, type: 'Charge', at: now() }, account)
    if (isLeft(decided)) throw creditsRefusal(decided.left)
    const [charged] = decided.right
    if (charged?.type !== 'CreditsCharged') throw new Error('a charge has an id of its own')
    return { charge: { chargeId: charge.chargeId, taken: charged.taken }, events: decided.right }
  }

  interface Paid {
    readonly runId: string
    readonly tenantId: string
    readonly actor: string
    /** Names the request; a charge gets the same id. */
    readonly requestId: string
    /** What it costs on this state. @throws what the caller is told */
    readonly price: (state: RunState) => number
    readonly intent: (charge: Charge | null) => RunIntent
  }

  /** Charge, run and jobs in one append: all of it is there, or nothing. */
  const payTogether = ({ runId, tenantId, actor, requestId, price, intent }: Paid): Promise<StartedRun> =>
    workflows.together(async () => {
      const loaded = await workflows.loadRun(runId)
      const amount = price(loaded.state)
      const account = amount === 0 ? null : await workflows.loadCredits(tenantId)
      const paid = account === null ? null : chargeOf(account.state, { chargeId: requestId, runId, amount, actor })
      const decided = decideRun(loaded.state, [intent(paid?.charge ?? null)])
      if (isLeft(decided)) throw runRefusal(runId, decided.left)
      const { events, state } = decided.right
      const run = state as StartedRun
      return {
        appends: [
          ...workflows.ofRun(runId, tenantId, loaded, events),
          ...(account === null || paid === null ? [] : workflows.ofCredits(tenantId, account, paid.events)),
          ...jobs.appendsOf(jobs.prepareJobs(runId, run, actor)),
        ],
        answer: run,
      }
    })

  /** Where the log takes one stream at a time: charge, run, jobs; whatever is lost in between is settled later. */
  const payFirst = async ({ runId, tenantId, actor, requestId, price, intent }: Paid): Promise<StartedRun> => {
    const amount = price((await workflows.loadRun(runId)).state)
    const charge = await workflows.together(async () => {
      const account = await workflows.loadCredits(tenantId)
      const paid = chargeOf(account.state, { chargeId: requestId, runId, amount, actor })
      return { appends: workflows.ofCredits(tenantId, account, paid.events), answer: paid.charge }
    })
    const run = await workflows.together(async () => {
      const loaded = await workflows.loadRun(runId)
      const decided = decideRun(loaded.state, [intent(charge)])
      const refused = isLeft(decided) ? decided.left : null
      const done = isLeft(decided) ? null : decided.right
      return {
        appends: done === null ? [] : workflows.ofRun(runId, tenantId, loaded, done.events),
        answer: { refused, run: done === null ? null : (done.state as StartedRun) },
      }
    })
    if (run.refused !== null) {
      // somebody was first: the charge is nobody's
      if (charge !== null)
        await process.giveBack({ tenantId, runId, chargeId: requestId, amount }).catch(laterSettled(runId))
      throw runRefusal(runId, run.refused)
    }
    await process.dispatch(runId, run.run as StartedRun)
    return run.run as StartedRun
  }

  const laterSettled = (runId: string) => (error: unknown) =>
    log.error({ err: error, runId }, 'a charge could not be given back now; it will be')

  const pay = async (paid: Paid): Promise<WorkflowRun> => {
    const run = await inTurn(paid.tenantId, () => (workflows.atomic ? payTogether(paid) : payFirst(paid)))
    deps.onStarted()
    return viewOf(paid.runId, run)
  }

  return {
    /** Charges files x price, and starts. @throws TemplateNotFoundError, InsufficientCreditsError, InvalidInputError */
    initiate: async (starter: Starter, start: StartRun): Promise<WorkflowRun> => {
      const templateId = commandIdOf(start.templateId, 'templateId')
      const files = filesOf(start.files)
      const maxRetryCount = optional(start.maxRetryCount, retryCountOf) ?? DEFAULT_RETRY_COUNT
      const tenantId = starter.tenant ?? optional(start.tenantId, tenantOf) ?? DEFAULT_TENANT
      const actor = textOf(starter.subject, 'subject', 200)
      const { state: template } = await workflows.loadTemplate(templateId)
      if (template.status === 'NONE' || (template.tenantId !== null && template.tenantId !== tenantId)) {
        throw new TemplateNotFoundError(templateId)
      }
      if (template.status === 'ARCHIVED') {
        throw new InvalidOperationError(
          `workflow template ${templateId} is archived: it starts no further runs`,
          'ARCHIVED',
        )
      }
      const { name: templateName, creditsPerRun, batchMode } = template
      const testRun = starter.testRun === true
      return pay({
        runId: ids.next(),
        tenantId,
        actor,
        requestId: ids.next(),
        price: () => (testRun ? 0 : files.length * creditsPerRun),
        intent: charge => ({
          type: 'Initiate',
          at: now(),
          actor,
          tenantId,
          templateId,
          templateName,
          creditsPerRun,
          batchMode,
          testRun,
          maxRetryCount,
          files,
          charge,
        }),
      })
    },

    /** @throws RunNotFoundError, ForbiddenError */
    get: async (asker: Asker, id: string): Promise<WorkflowRun> => {
      const runId = commandIdOf(id, 'runId')
      const run = await look(runId)
      demandOwn(asker, runId, run?.tenantId ?? null)
      return run as WorkflowRun
    },

    /**
     * What each event made of a run: ends at a revision or an instant with `at`; compares two moments with `from` and `to`.
     * @throws RunNotFoundError, ForbiddenError, InvalidInputError
     */
    history: async (asker: Asker, id: string, options: RunHistoryOptions = {}): Promise<RunHistory> => {
      const runId = commandIdOf(id, 'runId')
      momentsOf(options)
      const events = await workflows.historyOfRun(runId)
      const tenants = events.flatMap(({ event }) => (event.type === 'RunInitiated' ? [event.tenantId] : []))
      demandOwn(asker, runId, tenants[0] ?? null)
      return replayRun(runId, events, options)
    },

    /** The tenant's own, newest first. */
    list: async (asker: Asker, filter: RunFilter = {}): Promise<Page<WorkflowRun>> => {
      const tenantId = asker.tenant ?? optional(filter.tenantId, tenantOf)
      return queries.runs({
        ...(tenantId === null ? {} : { tenantId }),
        ...(filter.status === undefined ? {} : { status: runStatusOf(filter.status) }),
        ...(filter.limit === undefined ? {} : { limit: limitOf(filter.limit) }),
        ...(filter.cursor === undefined ? {} : { cursor: textOf(filter.cursor, 'cursor', 500) }),
      })
    },

    /** What a Continue would do; charges nothing. @throws RunNotFoundError, ForbiddenError */
    previewRetry: async (asker: Asker, id: string): Promise<RetryPreview> => {
      const runId = commandIdOf(id, 'runId')
      const state = await readable(runId, () => workflows.loadRun(runId).then(loaded => loaded.state))
      demandOwn(asker, runId, tenantIn(state))
      const { monthly, purchased } = await queries.balances(tenantIn(state) ?? '', monthOf(now()))
      const plan = planRetry(state)
      const none = { files: 0, failedFiles: 0, pendingFiles: 0, creditsNeeded: 0 }
      if (isLeft(plan)) {
        const { code, message, ...more } = runRefusal(runId, plan.left)
        const blockedBy = 'reason' in more && typeof more.reason === 'string' ? more.reason : code
        return { id: runId, ...none, creditsAvailable: monthly + purchased, blockedBy, message }
      }
      const { files, failed, pending, credits: needed } = plan.right
      const lacking =
        needed > monthly + purchased
          ? creditsRefusal({ type: 'InsufficientCredits', needed, available: monthly + purchased })
          : null
      return {
        id: runId,
        files: files.length,
        failedFiles: failed,
        pendingFiles: pending,
        creditsNeeded: needed,
        creditsAvailable: monthly + purchased,
        blockedBy: lacking?.code ?? null,
        message: lacking?.message ?? null,
      }
    },

    /**
     * Continue: failed files again at the run's price, pending ones for free, errors never; all of them, or none.
     * @throws RunNotFoundError, ForbiddenError, AlreadyRunningError, RunNotRetriableError, InsufficientCreditsError
     */
    retryFailed: async (asker: Asker, id: string): Promise<WorkflowRun> => {
      const runId = commandIdOf(id, 'runId')
      const { state } = await readable(runId, () => workflows.loadRun(runId))
      const tenantId = tenantIn(state)
      demandOwn(asker, runId, tenantId)
      const actor = textOf(asker.subject, 'subject', 200)
      const retryId = ids.next()
      return pay({
        runId,
        tenantId: tenantId ?? '',
        actor,
        requestId: retryId,
        price: present => {
          const plan = planRetry(present)
          if (isLeft(plan)) throw runRefusal(runId, plan.left)
          return plan.right.credits
        },
        intent: charge => ({ type: 'RetryFailed', at: now(), actor, retryId, charge }),
      })
    },

    /**
     * Ends the run: jobs that nobody works on are withdrawn and given back, the others go on to their end.
     * @throws RunNotFoundError, ForbiddenError, InvalidOperationError once it is over
     */
    cancel: async (asker: Asker, id: string, options: { readonly reason?: string } = {}): Promise<WorkflowRun> => {
      const runId = commandIdOf(id, 'runId')
      const reason = optional(options.reason, value => textOf(value, 'reason'))
      const { state } = await workflows.loadRun(runId)
      demandOwn(asker, runId, tenantIn(state))
      const actor = textOf(asker.subject, 'subject', 200)
      await process.turn(runId, [{ type: 'Cancel', at: now(), actor, reason }])
      await process.resume(runId)
      const run = await look(runId)
      if (run === null) throw new RunNotFoundError(runId)
      return run
    },
  }
}

const tenantIn = (state: RunState): string | null => (state.status === 'NONE' ? null : state.tenantId)

/** A run whose events are damaged is refused in words, and is no failure of the service. */
const readable = async <A>(runId: string, read: () => Promise<A>): Promise<A> => {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof EventDecodeError)) throw error
    throw new RunNotRetriableError(
      'DAMAGED',
      `workflow run ${runId} cannot be retried, its results are damaged: ${error.message}`,
    )
  }
}

export type Runs = ReturnType<typeof createRuns>
