import * as t from 'io-ts'
import { MAX_REHEARSAL_MS } from '../application/ports/rehearsals.ts'
import { parkedColumns } from '../domain/command/columns.ts'
import { anyJson, cutBeside, instant, integerFrom, nullable, object, status } from './codecs.ts'
import { codecsOf, commandParams, none, paging } from './commands.ts'
import { changes } from './history.ts'
import { route } from './route.ts'

const filters = {
  domain: t.string,
  commandType: t.string,
  errorCode: t.string,
  from: instant,
  to: instant,
  q: t.string,
}

const itemColumns = { ...codecsOf(parkedColumns), parkedReason: t.string, payload: anyJson }

const item = t.intersection([t.type(itemColumns), cutBeside('payload')])

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

/** Of a dry run: what would become of a command. */
export const commandPlan = t.intersection([
  t.type({
    domain: t.string,
    commandId: t.string,
    from: status,
    to: status,
    events: t.array(t.string),
    ...changes.whole,
    messages: t.array(
      t.intersection([
        t.type({ queue: t.string, archivedMsgId: nullable(t.string), data: anyJson }),
        cutBeside('data'),
      ]),
    ),
    replies: t.array(t.intersection([t.type({ queue: t.string, body: anyJson }), cutBeside('body')])),
  }),
  changes.more,
])

/** Of a dry run: what would be done. */
const planned = t.partial({ dryRun: commandPlan })

const acted = t.intersection([t.type({ commandId: t.string, status }), planned])

export const troubleshootingRoutes = {
  listParked: route({
    method: 'GET',
    path: '/troubleshooting',
    summary:
      'What is parked, newest first; `q` looks in ids, error codes and messages. A payload of more than 4 KiB is null here, with its size and its beginning beside it: the single command has it whole. Messages end after 1,000 characters',
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
      'What was parked at the instant `at` (now when left out), as it stood then, from the log. A page may be short and not the last. A payload of more than 4 KiB is null, with its size and its beginning beside it',
    tag: 'Troubleshooting',
    permission: 'audit',
    params: none,
    query: object({}, { at: instant, ...filters, ...paging }),
    body: null,
    success: {
      status: 200,
      body: t.type({
        at: instant,
        items: t.array(
          t.intersection([t.type({ ...itemColumns, parkedAt: instant, revision: t.number }), cutBeside('payload')]),
        ),
        nextCursor: nullable(t.string),
      }),
    },
    problems: [],
  }),
  groupParked: route({
    method: 'GET',
    path: '/troubleshooting/groups',
    summary:
      'What is parked, by domain, type and error code, the 500 largest groups; a sample is the beginning of a message, up to 1,000 characters',
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
  endAttempt: route({
    method: 'POST',
    path: '/domains/:domain/commands/:commandId/end-attempt',
    summary:
      'End the attempt that runs now and park the command; its handler is told to stop, and its outcome does not count',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: commandParams,
    query: none,
    body: object({ reason: t.string }, { dryRun: t.boolean }),
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
