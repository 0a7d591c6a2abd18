import { isLeft } from 'fp-ts/lib/Either.js'
import { monthOf } from '../../domain/credits/events.ts'
import { planRetry } from '../../domain/workflow-run/retry.ts'
import type { RunState } from '../../domain/workflow-run/state.ts'
import { momentsOf } from '../investigation/read-history.ts'
import type { Principal } from '../ports/authorization.ts'
import { EventDecodeError } from '../ports/event-store.ts'
import type { Ids } from '../ports/ids.ts'
import type { Page } from '../ports/reading/command-queries.ts'
import type { RunFilter, WorkflowQueries, WorkflowRun } from '../ports/reading/workflow-queries.ts'
import { ForbiddenError, InvalidOperationError } from '../shared/errors.ts'
import { commandIdOf, optional, pagingOf, textOf } from '../shared/input.ts'
import { createPayment, type PaymentDeps } from './pay-for-run.ts'
import { type RunHistory, type RunHistoryOptions, replayRun } from './read-run-history.ts'
import {
  creditsRefusal,
  RunNotFoundError,
  RunNotRetriableError,
  runRefusal,
  TemplateNotFoundError,
} from './run-errors.ts'
import { toWorkflowRun } from './run-view.ts'
import { DEFAULT_RETRY_COUNT, DEFAULT_TENANT, filesOf, retryCountOf, runStatusOf, tenantOf } from './workflow-input.ts'

/** A new workflow run: the template, and the files. */
export interface StartRun {
  readonly templateId: string
  /** 1 to 10,000 files; all inputs together have at most 1 MiB as JSON text. */
  readonly files: readonly { readonly fileName: string; readonly input: unknown }[]
  /** How often a file may be continued at a price: 1-10, default 3. */
  readonly maxRetryCount?: number
  /** For callers without a tenant. Default `default`. */
  readonly tenantId?: string
}

/** Who starts a run. `testRun`: the run is free; this depends on the caller's role, never on the request. */
export interface RunStarter extends Principal {
  readonly testRun?: boolean
}

/** What a Continue would do now, or why it cannot. */
export interface RetryPreview {
  /** The run's id. */
  readonly id: string
  /** Files that would be retried. */
  readonly files: number
  readonly failedFiles: number
  /** Files without an outcome because of an internal failure: retried for free. */
  readonly pendingFiles: number
  readonly creditsNeeded: number
  readonly creditsAvailable: number
  /** Null: a Continue is possible. */
  readonly blockedBy: string | null
  /** `blockedBy` as a sentence. */
  readonly message: string | null
}

export interface RunsDeps extends PaymentDeps {
  readonly ids: Ids
  readonly queries: Pick<WorkflowQueries, 'template' | 'run' | 'runs' | 'balances'>
}

/** Runs of workflows over many files, paid with credits. */
export const createRuns = (deps: RunsDeps) => {
  const { workflows, process, queries, clock, ids, log } = deps
  const pay = createPayment(deps)
  const now = (): string => clock.now().toISOString()

  /** Logs access to another tenant's run. @throws RunNotFoundError, ForbiddenError */
  const demandOwn = (principal: Principal, runId: string, tenantId: string | null): void => {
    if (tenantId === null) throw new RunNotFoundError(runId)
    if (principal.tenant === null || principal.tenant === tenantId) return
    log.warn(
      {
        security: 'cross-tenant access',
        subject: principal.subject,
        tenant: principal.tenant,
        runId,
        ownedBy: tenantId,
      },
      'a workflow run of another tenant was asked for',
    )
    throw new ForbiddenError('this workflow run belongs to another tenant')
  }

  /** Reads the run from its row; if the row lags behind the log, from the log. */
  const readRun = async (runId: string): Promise<WorkflowRun | null> => {
    const row = await queries.run(runId)
    if (workflows.inline) return row
    const { state } = await workflows.loadRun(runId)
    if (state.status === 'NONE' || (row !== null && row.updatedAt >= state.updatedAt)) return row
    return toWorkflowRun(runId, state)
  }

  return {
    /** Charges files x price, and starts the run. @throws TemplateNotFoundError, InsufficientCreditsError, InvalidInputError */
    initiate: async (principal: RunStarter, start: StartRun): Promise<WorkflowRun> => {
      const templateId = commandIdOf(start.templateId, 'templateId')
      const files = filesOf(start.files)
      const maxRetryCount = optional(start.maxRetryCount, retryCountOf) ?? DEFAULT_RETRY_COUNT
      const tenantId = principal.tenant ?? optional(start.tenantId, tenantOf) ?? DEFAULT_TENANT
      const actor = textOf(principal.subject, 'subject', 200)
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
      const testRun = principal.testRun === true
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
    get: async (principal: Principal, id: string): Promise<WorkflowRun> => {
      const runId = commandIdOf(id, 'runId')
      const run = await readRun(runId)
      demandOwn(principal, runId, run?.tenantId ?? null)
      return run as WorkflowRun
    },

    /**
     * The history of a run. `at` ends it at a revision or an instant; `from` and `to` compare two moments.
     * @throws RunNotFoundError, ForbiddenError, InvalidInputError
     */
    history: async (principal: Principal, id: string, options: RunHistoryOptions = {}): Promise<RunHistory> => {
      const runId = commandIdOf(id, 'runId')
      momentsOf(options)
      const events = await workflows.historyOfRun(runId)
      const tenants = events.flatMap(({ event }) => (event.type === 'RunInitiated' ? [event.tenantId] : []))
      demandOwn(principal, runId, tenants[0] ?? null)
      return replayRun(runId, events, options)
    },

    /** The tenant's runs, newest first. */
    list: async (principal: Principal, filter: RunFilter = {}): Promise<Page<WorkflowRun>> => {
      const tenantId = principal.tenant ?? optional(filter.tenantId, tenantOf)
      return queries.runs({
        ...(tenantId === null ? {} : { tenantId }),
        ...(filter.status === undefined ? {} : { status: runStatusOf(filter.status) }),
        ...pagingOf(filter),
      })
    },

    /** What a Continue would do; charges nothing. @throws RunNotFoundError, ForbiddenError */
    previewRetry: async (principal: Principal, id: string): Promise<RetryPreview> => {
      const runId = commandIdOf(id, 'runId')
      const state = await readable(runId, () => workflows.loadRun(runId).then(loaded => loaded.state))
      demandOwn(principal, runId, tenantIn(state))
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
     * Continue: retries all failed files at the run's price and pending files for free; never files with `error`.
     * @throws RunNotFoundError, ForbiddenError, AlreadyRunningError, RunNotRetriableError, InsufficientCreditsError
     */
    retryFailed: async (principal: Principal, id: string): Promise<WorkflowRun> => {
      const runId = commandIdOf(id, 'runId')
      const { state } = await readable(runId, () => workflows.loadRun(runId))
      const tenantId = tenantIn(state)
      demandOwn(principal, runId, tenantId)
      const actor = textOf(principal.subject, 'subject', 200)
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
     * Ends the run: cancels and refunds jobs that no worker has begun; the others run to their end.
     * @throws RunNotFoundError, ForbiddenError, InvalidOperationError once it is over
     */
    cancel: async (
      principal: Principal,
      id: string,
      options: { readonly reason?: string } = {},
    ): Promise<WorkflowRun> => {
      const runId = commandIdOf(id, 'runId')
      const reason = optional(options.reason, value => textOf(value, 'reason'))
      const { state } = await workflows.loadRun(runId)
      demandOwn(principal, runId, tenantIn(state))
      const actor = textOf(principal.subject, 'subject', 200)
      await process.turn(runId, [{ type: 'Cancel', at: now(), actor, reason }])
      await process.resume(runId)
      const run = await readRun(runId)
      if (run === null) throw new RunNotFoundError(runId)
      return run
    },
  }
}

const tenantIn = (state: RunState): string | null => (state.status === 'NONE' ? null : state.tenantId)

/** Damaged events of a run give an error about that run, not a failure of the service. */
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
