import * as t from 'io-ts'
import { historyColumns } from '../domain/command/columns.ts'
import { anyJson, cutBeside, described, instant, nullable, object, status, uuid } from './codecs.ts'
import { codecsOf, columns, commandParams, none } from './commands.ts'
import { route } from './route.ts'
import { entryColumns, runColumns, runStatus } from './workflows.ts'

const change = t.intersection([
  t.type({
    op: t.keyof({ add: null, remove: null, replace: null }),
    path: t.string,
    from: anyJson,
    to: anyJson,
  }),
  cutBeside('from'),
  cutBeside('to'),
])

/** Differences up to 64 KiB, and how many there are beyond. */
export const changes = { whole: { diff: t.array(change) }, more: t.partial({ diffOmitted: t.number }) }

/** Whole. */
const snapshot = t.type({
  ...codecsOf(historyColumns),
  workerId: nullable(t.string),
  canceledReason: nullable(t.string),
  data: anyJson,
  result: anyJson,
})
const cutSnapshot = t.intersection([snapshot, cutBeside('data'), cutBeside('result')])

/** As the log holds it: its type, time and actor, and what that type of event tells. */
const event = described(t.UnknownRecord, {
  type: 'object',
  description:
    'As the log holds it. A member of more than 4 KiB, like data, result or diff, is null, and its size and its beginning stand beside it: dataBytes, dataPreview',
  required: ['type', 'at', 'actor'],
  properties: { type: { type: 'string' }, at: { type: 'string', format: 'date-time' }, actor: { type: 'string' } },
})

const stepColumns = {
  revision: t.number,
  event,
  names: t.array(t.string),
  actor: t.string,
  at: instant,
  sinceLastMs: nullable(t.number),
  ...changes.whole,
}

const step = t.intersection([t.type({ ...stepColumns, state: cutSnapshot }), changes.more])

const moment = t.type({
  moment: t.union([t.number, t.string]),
  revision: nullable(t.number),
  state: nullable(cutSnapshot),
})

const REVISION_OR_INSTANT = 'a revision (0 is the first event) or an ISO 8601 date or time'

/** Which one it is, and whether it makes sense, the application says. */
const momentText = described(
  new t.Type<string>(
    REVISION_OR_INSTANT,
    t.string.is,
    (value, context) =>
      typeof value === 'string' && value !== '' && value.length <= 40 ? t.success(value) : t.failure(value, context),
    t.identity,
  ),
  { type: 'string', description: REVISION_OR_INSTANT, examples: ['3', '2026-01-31T12:00:00Z'] },
)

const place = {
  cause: nullable(t.number),
  via: nullable(t.keyof({ parent: null, causation: null, run: null, charge: null })),
  depth: t.number,
}

const node = t.union([
  t.type({ ...columns, kind: t.keyof({ command: null, operation: null }), ...place }),
  t.type({ ...runColumns, kind: t.literal('run'), ...place }),
  t.type({ ...entryColumns, kind: t.keyof({ charge: null, refund: null }), tenantId: t.string, ...place }),
])

const split = t.type({ monthly: t.number, purchased: t.number, month: t.string })

const runSummary = {
  status: runStatus,
  tenantId: t.string,
  templateId: t.string,
  templateName: t.string,
  creditsPerRun: t.number,
  batchMode: t.boolean,
  testRun: t.boolean,
  maxRetryCount: t.number,
  totalJobs: t.number,
  completedJobs: t.number,
  failedJobs: t.number,
  round: t.number,
  roundJobs: t.number,
  creditsFromMonthly: t.number,
  creditsFromPurchased: t.number,
  charges: t.readonlyArray(t.type({ chargeId: t.string, round: t.number, taken: split, returned: nullable(split) })),
  owed: t.readonlyArray(t.type({ chargeId: t.string, amount: t.number, reason: t.string })),
  startedBy: t.string,
  endedAt: nullable(instant),
  createdAt: instant,
  updatedAt: instant,
  revision: t.number,
}

const fileSnapshot = t.type({
  index: t.number,
  fileName: t.string,
  status: t.keyof({ pending: null, completed: null, failed: null, error: null }),
  open: t.boolean,
  retryAttempt: t.number,
  errorCode: nullable(t.string),
  errorMessage: nullable(t.string),
  lastRetriedAt: nullable(instant),
})

const runMoment = t.type({
  moment: t.union([t.number, t.string]),
  revision: nullable(t.number),
  state: nullable(t.type(runSummary)),
})

export const historyRoutes = {
  getHistory: route({
    method: 'GET',
    path: '/domains/:domain/commands/:commandId/history',
    summary:
      'What each event made of a command: state and differences. `at` ends it at a revision or an instant; `from` and `to` compare two. Values of more than 4 KiB are cut in all steps; `state` has data and result whole, and `event` the error, both at the end of what was asked for',
    tag: 'Commands',
    permission: 'audit',
    params: commandParams,
    query: object({}, { at: momentText, from: momentText, to: momentText }),
    body: null,
    success: {
      status: 200,
      body: t.type({
        domain: t.string,
        commandId: t.string,
        items: t.array(step),
        state: nullable(snapshot),
        event: nullable(event),
        comparison: nullable(t.intersection([t.type({ from: moment, to: moment, ...changes.whole }), changes.more])),
      }),
    },
    problems: ['COMMAND_NOT_FOUND'],
  }),
  getCorrelation: route({
    method: 'GET',
    path: '/correlations/:correlationId',
    summary:
      'Everything with a correlation id (of a run: its id), and what caused what: each after what it came from, whose place in the list is its `cause`. At most 1,000: then what failed or is parked comes first, and `notShown` counts the rest by status',
    tag: 'Commands',
    permission: 'audit',
    params: object({ correlationId: t.string }),
    query: none,
    body: null,
    success: {
      status: 200,
      body: t.type({
        correlationId: t.string,
        items: t.array(node),
        truncated: t.boolean,
        notShown: t.array(t.type({ status, count: t.number })),
      }),
    },
    problems: [],
  }),
  getRunHistory: route({
    method: 'GET',
    path: '/workflow-runs/:id/history',
    summary:
      'What each event made of a run: state and differences, and every file at the end. `at` ends it at a revision or an instant; `from` and `to` compare two. Values of more than 4 KiB are cut',
    tag: 'Workflow runs and credits',
    permission: 'audit',
    params: object({ id: uuid }),
    query: object({}, { at: momentText, from: momentText, to: momentText }),
    body: null,
    success: {
      status: 200,
      body: t.type({
        id: t.string,
        items: t.array(t.intersection([t.type({ ...stepColumns, state: t.type(runSummary) }), changes.more])),
        state: nullable(t.type({ ...runSummary, files: t.readonlyArray(fileSnapshot) })),
        comparison: nullable(
          t.intersection([t.type({ from: runMoment, to: runMoment, ...changes.whole }), changes.more]),
        ),
      }),
    },
    problems: ['RUN_NOT_FOUND'],
  }),
}
