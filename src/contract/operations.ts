import * as t from 'io-ts'
import { operationStatuses } from '../domain/operation/status.ts'
import { anyJson, described, instant, nullable, object, uuid } from './codecs.ts'
import { none, paging } from './commands.ts'
import { route } from './route.ts'

type Words = Record<(typeof operationStatuses)[number], null>

const operationStatus = described(t.keyof(Object.fromEntries(operationStatuses.map(word => [word, null])) as Words), {
  type: 'string',
  enum: operationStatuses,
})

const operation = t.type({
  id: t.string,
  operation_type: t.string,
  status: operationStatus,
  result: anyJson,
  error_message: nullable(t.string),
  parent_operation_id: nullable(t.string),
  retry_count: t.number,
  session_id: nullable(t.string),
  message_id: nullable(t.string),
  created_at: instant,
  updated_at: instant,
  retriable: t.boolean,
})

const listed = t.intersection([operation, t.partial({ result_bytes: t.number, result_preview: t.string })])

const params = object({ id: uuid })

export const operationRoutes = {
  startOperation: route({
    method: 'POST',
    path: '/operations',
    summary: 'Start an operation of your own',
    tag: 'Operations',
    permission: 'operations',
    params: none,
    query: none,
    body: object(
      { operation_type: t.string, parameters: anyJson },
      { session_id: nullable(t.string), message_id: nullable(t.string) },
    ),
    success: { status: 202, body: operation, location: { under: '/operations', member: 'id' } },
    problems: [],
  }),
  listOperations: route({
    method: 'GET',
    path: '/operations',
    summary:
      'Your operations, newest first. A result larger than 4 KiB is null here, with `result_bytes` and `result_preview`: read the single operation for all of it',
    tag: 'Operations',
    permission: 'operations',
    params: none,
    query: object({}, { status: operationStatus, ...paging }),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(listed), nextCursor: nullable(t.string) }) },
    problems: [],
  }),
  getOperation: route({
    method: 'GET',
    path: '/operations/:id',
    summary: 'One of your operations',
    tag: 'Operations',
    permission: 'operations',
    params,
    query: none,
    body: null,
    success: { status: 200, body: operation },
    problems: ['OPERATION_NOT_FOUND'],
  }),
  retryOperation: route({
    method: 'POST',
    path: '/operations/:id/retry',
    summary:
      'Retry a failed operation as a new one with the same parameters; a second call returns the same new operation',
    tag: 'Operations',
    permission: 'operations',
    params,
    query: none,
    body: none,
    success: { status: 200, body: operation, location: { under: '/operations', member: 'id' } },
    problems: ['OPERATION_NOT_FOUND'],
  }),
}
