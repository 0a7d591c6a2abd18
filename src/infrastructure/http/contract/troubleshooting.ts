import * as t from 'io-ts'
import { MAX_REHEARSAL_MS } from '../../../application/ports/rehearsals.ts'
import { anyJson, instant, integerFrom, listOf, nullable, object, status, uuid } from './codecs.ts'
import { commandParams, none, paging } from './commands.ts'
import { change } from './history.ts'
import { route } from './route.ts'

const filters = {
  domain: t.string,
  commandType: t.string,
  errorCode: t.string,
  from: instant,
  to: instant,
  q: t.string,
}

const itemColumns = {
  domain: t.string,
  commandId: t.string,
  commandType: t.string,
  attempts: t.number,
  maxAttempts: t.number,
  parkedReason: t.string,
  lastErrorType: nullable(t.string),
  lastErrorCode: nullable(t.string),
  lastErrorMsg: nullable(t.string),
  correlationId: t.string,
  replyTo: nullable(t.string),
  createdAt: instant,
  updatedAt: instant,
  payload: anyJson,
}

const item = t.type(itemColumns)

const group = t.type({
  key: t.string,
  domain: t.string,
  commandType: t.string,
  errorCode: t.string,
  count: t.number,
  first: instant,
  last: instant,
  sample: nullable(t.string),
})

const commandPlan = t.type({
  domain: t.string,
  commandId: t.string,
  from: status,
  to: status,
  events: t.array(t.string),
  diff: t.array(change),
  messages: t.array(t.type({ queue: t.string, archivedMsgId: nullable(t.string), data: anyJson })),
  replies: t.array(t.type({ queue: t.string, body: anyJson })),
})

/** Of a dry run: what would be done. */
const planned = t.partial({ dryRun: commandPlan })

const acted = t.intersection([t.type({ commandId: t.string, status }), planned])

export const troubleshootingRoutes = {
  listParked: route({
    method: 'GET',
    path: '/troubleshooting',
    summary: 'What is parked, newest first; `q` looks in ids, error codes and messages',
    tag: 'Troubleshooting',
    permission: 'read',
    params: none,
    query: object({}, { ...filters, ...paging }),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(item), nextCursor: nullable(t.string), total: t.number }) },
    problems: [],
  }),
  listParkedAt: route({
    method: 'GET',
    path: '/troubleshooting/history',
    summary:
      'What was parked at the instant `at` (now when left out), as it stood then, from the log. A page may be short and not the last',
    tag: 'Troubleshooting',
    permission: 'audit',
    params: none,
    query: object({}, { at: instant, ...filters, ...paging }),
    body: null,
    success: {
      status: 200,
      body: t.type({
        at: instant,
        items: t.array(t.type({ ...itemColumns, parkedAt: instant, revision: t.number })),
        nextCursor: nullable(t.string),
      }),
    },
    problems: [],
  }),
  groupParked: route({
    method: 'GET',
    path: '/troubleshooting/groups',
    summary: 'What is parked, by domain, type and error code',
    tag: 'Troubleshooting',
    permission: 'read',
    params: none,
    query: object({}, filters),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(group) }) },
    problems: [],
  }),
  retryCommand: route({
    method: 'POST',
    path: '/domains/:domain/commands/:commandId/retry',
    summary: 'Send the original payload again, or an edited one',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: commandParams,
    query: none,
    body: object({}, { data: anyJson, resetAttempts: t.boolean, dryRun: t.boolean }),
    success: {
      status: 200,
      body: t.intersection([t.type({ commandId: t.string, status, msgId: nullable(t.string) }), planned]),
    },
    problems: ['COMMAND_NOT_FOUND', 'INVALID_OPERATION'],
  }),
  operatorCancel: route({
    method: 'POST',
    path: '/domains/:domain/commands/:commandId/cancel',
    summary: 'Cancel a parked command; the sender is told the reason',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: commandParams,
    query: none,
    body: object({ reason: t.string }, { dryRun: t.boolean }),
    success: { status: 200, body: acted },
    problems: ['COMMAND_NOT_FOUND', 'INVALID_OPERATION'],
  }),
  operatorComplete: route({
    method: 'POST',
    path: '/domains/:domain/commands/:commandId/complete',
    summary: 'Complete a parked command by hand; the sender gets the result',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: commandParams,
    query: none,
    body: object({}, { resultData: anyJson, dryRun: t.boolean }),
    success: { status: 200, body: acted },
    problems: ['COMMAND_NOT_FOUND', 'INVALID_OPERATION'],
  }),
}

const rehearsal = t.type({
  commandId: t.string,
  domain: t.string,
  outcome: t.keyof({
    SUCCESS: null,
    TRANSIENT: null,
    PERMANENT: null,
    BUSINESS_RULE: null,
    NO_HANDLER: null,
    INVALID_PAYLOAD: null,
    TIMEOUT: null,
    CRASHED: null,
  }),
  result: anyJson,
  error: nullable(t.type({ code: t.string, message: t.string })),
  wouldBe: nullable(status),
  durationMs: t.number,
  rolledBack: t.literal(true),
})

export const rehearsalRoutes = {
  rehearseCommand: route({
    method: 'POST',
    path: '/domains/:domain/commands/:commandId/rehearse',
    summary:
      'Run the handler on a parked command, or on an edited payload, and roll everything back: what would a retry do?',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: commandParams,
    query: none,
    body: object({}, { data: anyJson, resetAttempts: t.boolean, timeoutMs: integerFrom(1, MAX_REHEARSAL_MS) }),
    success: { status: 200, body: rehearsal },
    problems: ['COMMAND_NOT_FOUND', 'INVALID_OPERATION'],
  }),
}

/** More than a body of 1 MiB can name. */
const MAX_IDS = 20_000

const actionFilter = object(
  {},
  { domain: t.string, commandType: t.string, errorCode: t.string, from: instant, to: instant },
)

const actionItem = t.type({
  ordinal: t.number,
  domain: t.string,
  commandId: t.string,
  outcome: nullable(t.keyof({ SUCCEEDED: null, FAILED: null, SKIPPED: null })),
  message: nullable(t.string),
})

const actionStatus = t.keyof({
  RUNNING: null,
  WAITING_FOR_CANARY: null,
  COMPLETED: null,
  CANARY_FAILED: null,
  STOPPED: null,
})

const actionProgress = {
  actionId: t.string,
  action: t.keyof({ retry: null, cancel: null, complete: null }),
  status: actionStatus,
  /** What it was asked for; null: commands named by their ids. */
  filter: nullable(
    t.partial({ domain: t.string, commandType: t.string, errorCode: t.string, from: instant, to: instant }),
  ),
  total: t.number,
  succeeded: t.number,
  failed: t.number,
  skipped: t.number,
  canary: nullable(t.number),
  operator: t.string,
  note: nullable(t.string),
  createdAt: instant,
  updatedAt: instant,
}

const actionBody = object(
  { action: t.keyof({ retry: null, cancel: null, complete: null }) },
  {
    filter: actionFilter,
    ids: listOf(object({ domain: t.string, commandId: uuid }), 0, MAX_IDS),
    canary: t.number,
    reason: t.string,
    resultData: anyJson,
    resetAttempts: t.boolean,
  },
)

const queueCounts = t.array(t.type({ queue: t.string, count: t.number }))

export const actionRoutes = {
  startAction: route({
    method: 'POST',
    path: '/troubleshooting/actions',
    summary:
      'Retry, cancel or complete all that a filter matches now, or those that are named; it runs in the background',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: none,
    query: none,
    body: actionBody,
    success: {
      status: 202,
      body: t.type(actionProgress),
      location: { under: '/troubleshooting/actions', member: 'actionId' },
    },
    problems: [],
  }),
  dryRunAction: route({
    method: 'POST',
    path: '/troubleshooting/actions/dry-run',
    summary: 'What an action would do, and what is in its way; nothing is done',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: none,
    query: none,
    body: actionBody,
    success: {
      status: 200,
      body: t.type({
        action: t.keyof({ retry: null, cancel: null, complete: null }),
        total: t.number,
        decided: t.number,
        would: t.number,
        blocked: t.number,
        messages: queueCounts,
        replies: queueCounts,
        samples: t.array(commandPlan),
        blockedSamples: t.array(t.type({ domain: t.string, commandId: t.string, code: t.string, message: t.string })),
      }),
    },
    problems: [],
  }),
  listActions: route({
    method: 'GET',
    path: '/troubleshooting/actions',
    summary: 'Actions on many commands, newest first, and how far each has come',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: none,
    query: object({}, { status: actionStatus, ...paging }),
    body: null,
    success: {
      status: 200,
      body: t.type({ items: t.array(t.type(actionProgress)), nextCursor: nullable(t.string) }),
    },
    problems: [],
  }),
  stopAction: route({
    method: 'POST',
    path: '/troubleshooting/actions/:id/stop',
    summary:
      'End an action after the piece under way: what is done stays done, the rest is SKIPPED and stays parked. One that is over stays as it is',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: object({ id: uuid }),
    query: none,
    body: object({}),
    success: { status: 200, body: t.type(actionProgress) },
    problems: ['ACTION_NOT_FOUND'],
  }),
  getAction: route({
    method: 'GET',
    path: '/troubleshooting/actions/:id',
    summary: 'How far an action has come; with `items=true` a page of its items',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: object({ id: uuid }),
    query: object(
      {},
      {
        items: t.keyof({ true: null, false: null }),
        outcome: t.keyof({ SUCCEEDED: null, FAILED: null, SKIPPED: null }),
        ...paging,
      },
    ),
    body: null,
    success: {
      status: 200,
      body: t.intersection([
        t.type(actionProgress),
        t.partial({ items: t.array(actionItem), nextCursor: nullable(t.string) }),
      ]),
    },
    problems: ['ACTION_NOT_FOUND'],
  }),
}
