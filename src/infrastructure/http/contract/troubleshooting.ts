import * as t from 'io-ts'
import { anyJson, instant, nullable, object, status } from './codecs.ts'
import { commandParams, none, paging } from './commands.ts'
import { route } from './route.ts'

const filters = {
  domain: t.string,
  commandType: t.string,
  errorCode: t.string,
  from: instant,
  to: instant,
  q: t.string,
}

const item = t.type({
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
})

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

const acted = t.type({ commandId: t.string, status })

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
    body: object({}, { data: anyJson, resetAttempts: t.boolean }),
    success: { status: 200, body: t.type({ commandId: t.string, status, msgId: nullable(t.string) }) },
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
    body: object({ reason: t.string }),
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
    body: object({}, { resultData: anyJson }),
    success: { status: 200, body: acted },
    problems: ['COMMAND_NOT_FOUND', 'INVALID_OPERATION'],
  }),
}
