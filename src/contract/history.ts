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

/** Differences up to 64 KiB, and the number of those left out. */
export const changes = { whole: { diff: t.array(change) }, more: t.partial({ diffOmitted: t.number }) }

/** With complete data and result. */
const snapshot = t.type({
  ...codecsOf(historyColumns),
  workerId: nullable(t.string),
  canceledReason: nullable(t.string),
  data: anyJson,
  result: anyJson,
})
const cutSnapshot = t.intersection([snapshot, cutBeside('data'), cutBeside('result')])

/** An event as stored in the log: its type, time and actor, and the members of that type. */
const event = described(t.UnknownRecord, {
  type: 'object',
  description:
    'The event as stored in the log. A member larger than 4 KiB, like data, result or diff, is null; dataBytes and dataPreview give its size and its beginning',
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

/** The application decides which of the two it is, and validates it. */
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
      'Each event of a command, with the state after it and the differences. `at` ends the history at a revision or an instant; `from` and `to` compare two moments. Values larger than 4 KiB are cut in all steps; `state` and `event` are those at the end, with complete data, result and error',
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
      'Everything with a correlation id (of a run: its id), and what caused what: each item comes after its cause, and `cause` is the position of that one in the list. At most 1,000 items: beyond that, failed and parked ones come first, and `notShown` counts the others by status',
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
      'Each event of a run, with the state after it and the differences, and every file at the end. `at` ends the history at a revision or an instant; `from` and `to` compare two moments. Values larger than 4 KiB are cut',
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
