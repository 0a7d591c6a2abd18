import * as t from 'io-ts'
import { runStatuses } from '../domain/workflow-run/status.ts'
import { anyJson, instant, integerFrom, listOf, nullable, object, uuid, wordOf } from './codecs.ts'
import { none, paging } from './commands.ts'
import { route } from './route.ts'

export const runStatus = wordOf(runStatuses)

const perFileResult = t.type({
  index: t.number,
  fileName: t.string,
  status: wordOf(['pending', 'processing', 'completed', 'failed', 'error']),
  retryAttempt: t.number,
  errorCode: nullable(t.string),
  errorMessage: nullable(t.string),
  lastRetriedAt: nullable(instant),
  jobId: t.string,
})

/** A run without its files. */
export const runColumns = {
  id: t.string,
  tenantId: t.string,
  templateId: t.string,
  templateName: t.string,
  status: runStatus,
  totalJobs: t.number,
  completedJobs: t.number,
  failedJobs: t.number,
  round: t.number,
  roundJobs: t.number,
  maxRetryCount: t.number,
  creditsPerRun: t.number,
  creditsConsumed: t.number,
  creditsFromMonthly: t.number,
  creditsFromPurchased: t.number,
  batchMode: t.boolean,
  testRun: t.boolean,
  startedBy: t.string,
  createdAt: instant,
  updatedAt: instant,
  endedAt: nullable(instant),
}

const run = t.type({ ...runColumns, perFileResults: t.array(perFileResult) })

const template = t.type({
  id: t.string,
  tenantId: nullable(t.string),
  name: t.string,
  creditsPerRun: t.number,
  batchMode: t.boolean,
  createdBy: t.string,
  createdAt: instant,
  updatedAt: instant,
  archivedAt: nullable(instant),
})

const balance = { tenantId: t.string, monthly: t.number, purchased: t.number, month: t.string }

/** An entry of the ledger without its kind. */
export const entryColumns = {
  revision: t.number,
  monthly: t.number,
  purchased: t.number,
  month: t.string,
  runId: nullable(t.string),
  chargeId: nullable(t.string),
  reason: nullable(t.string),
  actor: t.string,
  at: instant,
  monthlyLeft: t.number,
  purchasedLeft: t.number,
}

const entry = t.type({ ...entryColumns, kind: wordOf(['GRANT', 'CHARGE', 'REFUND']) })

const params = object({ id: uuid })
const pageOf = <C extends t.Mixed>(item: C) => t.type({ items: t.array(item), nextCursor: nullable(t.string) })

/** Callers without a tenant may name one. */
const tenant = { tenantId: t.string }

const tag = 'Workflow runs and credits'

export const workflowRoutes = {
  createTemplate: route({
    method: 'POST',
    path: '/workflow-templates',
    summary: 'Creates a template of runs. Its price is per file; a run keeps the price it started with',
    tag,
    permission: 'runs',
    params: none,
    query: none,
    body: object({ name: t.string, creditsPerRun: integerFrom(0, 1_000_000) }, { batchMode: t.boolean, ...tenant }),
    success: { status: 201, body: template, location: { under: '/workflow-templates', member: 'id' } },
    problems: [],
  }),
  listTemplates: route({
    method: 'GET',
    path: '/workflow-templates',
    summary:
      "The tenant's templates and those for all tenants, newest first; with `archived` only the archived ones (`true`) or both (`any`)",
    tag,
    permission: 'runs',
    params: none,
    query: object({}, { archived: wordOf(['false', 'true', 'any']), ...tenant, ...paging }),
    body: null,
    success: { status: 200, body: pageOf(template) },
    problems: [],
  }),
  archiveTemplate: route({
    method: 'DELETE',
    path: '/workflow-templates/:id',
    summary: 'Archives a template: no new run can use it; existing runs may be continued',
    tag,
    permission: 'runs',
    params,
    query: none,
    body: null,
    success: { status: 200, body: template },
    problems: ['NOT_FOUND'],
  }),
  startRun: route({
    method: 'POST',
    path: '/workflow-runs',
    summary: 'Starts a run over files, and charges files x the price of the template',
    tag,
    permission: 'runs',
    params: none,
    query: none,
    body: object(
      { templateId: uuid, files: listOf(object({ fileName: t.string }, { input: anyJson }), 1, 10_000) },
      { maxRetryCount: integerFrom(1, 10), ...tenant },
    ),
    success: { status: 202, body: run, location: { under: '/workflow-runs', member: 'id' } },
    problems: ['NOT_FOUND', 'INVALID_OPERATION', 'INSUFFICIENT_CREDITS'],
  }),
  listRuns: route({
    method: 'GET',
    path: '/workflow-runs',
    summary: "The tenant's runs, newest first; a page is shorter when its runs have many files",
    tag,
    permission: 'runs',
    params: none,
    query: object({}, { status: runStatus, ...tenant, ...paging }),
    body: null,
    success: { status: 200, body: pageOf(run) },
    problems: [],
  }),
  getRun: route({
    method: 'GET',
    path: '/workflow-runs/:id',
    summary: 'A run, with the result of each file',
    tag,
    permission: 'runs',
    params,
    query: none,
    body: null,
    success: { status: 200, body: run },
    problems: ['RUN_NOT_FOUND'],
  }),
  previewRetry: route({
    method: 'GET',
    path: '/workflow-runs/:id/retry-failed',
    summary: 'What a Continue would retry and cost now, or why it is not possible; charges nothing',
    tag,
    permission: 'runs',
    params,
    query: none,
    body: null,
    success: {
      status: 200,
      body: t.type({
        id: t.string,
        files: t.number,
        failedFiles: t.number,
        pendingFiles: t.number,
        creditsNeeded: t.number,
        creditsAvailable: t.number,
        blockedBy: nullable(t.string),
        message: nullable(t.string),
      }),
    },
    problems: ['RUN_NOT_FOUND'],
  }),
  retryFailed: route({
    method: 'POST',
    path: '/workflow-runs/:id/retry-failed',
    summary:
      "Continues a run: failed files are retried at the run's price, pending ones for free unless the run was refunded; files in `error` are never retried",
    tag,
    permission: 'runs',
    params,
    query: none,
    body: none,
    success: { status: 200, body: run },
    problems: ['RUN_NOT_FOUND', 'ALREADY_RUNNING', 'INSUFFICIENT_CREDITS', 'CONFLICT'],
  }),
  cancelRun: route({
    method: 'POST',
    path: '/workflow-runs/:id/cancel',
    summary: 'Cancels a run: files that no worker is processing are withdrawn and refunded; the others finish',
    tag,
    permission: 'runs',
    params,
    query: none,
    body: object({}, { reason: t.string }),
    success: { status: 200, body: run },
    problems: ['RUN_NOT_FOUND', 'INVALID_OPERATION'],
  }),
  getCredits: route({
    method: 'GET',
    path: '/credits',
    summary: "The tenant's balance, and its ledger, newest first",
    tag,
    permission: 'runs',
    params: none,
    query: object({}, { ...tenant, ...paging }),
    body: null,
    success: {
      status: 200,
      body: t.type({ ...balance, ledger: t.array(entry), nextCursor: nullable(t.string) }),
    },
    problems: [],
  }),
  grantCredits: route({
    method: 'POST',
    path: '/credits/grants',
    summary: "Adds credits to one of a tenant's pools, and returns the new balance",
    tag,
    permission: 'grant',
    params: none,
    query: none,
    body: object(
      { pool: wordOf(['monthly', 'purchased']), amount: integerFrom(1, 1_000_000_000), reason: t.string },
      { grantId: uuid, ...tenant },
    ),
    success: { status: 201, body: t.type(balance) },
    problems: ['CONFLICT'],
  }),
}
