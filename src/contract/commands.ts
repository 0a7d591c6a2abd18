import * as t from 'io-ts'
import { commandSorts } from '../application/ports/reading/command-queries.ts'
import { auditWords } from '../domain/command/audit-names.ts'
import {
  type ColumnKind,
  type ColumnName,
  type CommandColumns,
  commandColumns,
  viewColumns,
} from '../domain/command/columns.ts'
import { MAX_WAIT_SECONDS } from '../domain/command/retry-policy.ts'
import { priorities } from '../domain/flow/priority.ts'
import { YEAR_SECONDS } from '../domain/instant.ts'
import {
  anyJson,
  instant,
  integerFrom,
  listOf,
  nullable,
  numberFrom,
  object,
  status,
  uuid,
  wholeNumber,
  wordOf,
} from './codecs.ts'
import { route } from './route.ts'

export const domainParams = object({ domain: t.string })
export const commandParams = object({ domain: t.string, commandId: uuid })
export const none = object({})

const MAX_ATTEMPTS = 100
const MAX_COMMANDS = 10_000

const priority = wordOf(priorities)

const newCommand = object(
  { commandType: t.string, data: anyJson },
  {
    commandId: uuid,
    replyTo: t.string,
    correlationId: t.string,
    causationId: t.string,
    maxAttempts: integerFrom(1, MAX_ATTEMPTS),
    backoffSeconds: listOf(numberFrom(0, MAX_WAIT_SECONDS), 1, MAX_ATTEMPTS),
    delaySeconds: numberFrom(0, YEAR_SECONDS),
    runAt: instant,
    priority,
    expiresInSeconds: numberFrom(0, YEAR_SECONDS),
    expiresAt: instant,
    key: t.string,
  },
)

export const sent = t.type({
  commandId: t.string,
  domain: t.string,
  commandType: t.string,
  status,
  msgId: nullable(t.string),
  correlationId: t.string,
})

const kinds: Readonly<Record<ColumnKind, t.Mixed>> = {
  text: t.string,
  frame: t.string,
  status,
  priority,
  message: t.string,
  uuid: t.string,
  int: t.number,
  bigint: t.string,
  revision: t.number,
  instant,
  person: t.string,
  tags: t.readonlyArray(t.string),
}

/** The codecs of these columns of a command. */
export const codecsOf = <Name extends ColumnName>(names: readonly Name[]) => {
  const codecs = names.map(name => {
    const { kind, nullable: canBeNull } = commandColumns[name]
    return [name, canBeNull ? nullable(kinds[kind]) : kinds[kind]]
  })
  return Object.fromEntries(codecs) as { readonly [N in Name]: t.Type<CommandColumns[N]> }
}

export const columns = codecsOf(viewColumns)
const commandView = t.type(columns)
const commandDetail = t.intersection([
  t.type({ ...columns, data: anyJson, result: anyJson }),
  // while it waits for its lane
  t.partial({ place: t.number, waitsFor: nullable(t.string) }),
])

export const paging = { limit: wholeNumber(1, 500), cursor: t.string }

const filters = {
  status,
  commandType: t.string,
  errorCode: t.string,
  correlationId: t.string,
  createdAfter: instant,
  createdBefore: instant,
  scheduled: wordOf(['true', 'false']),
  retrying: wordOf(['true', 'false']),
  payload: t.string,
  idPrefix: t.string,
  message: t.string,
  sort: wordOf(commandSorts),
}

const commandPage = t.type({ items: t.array(commandView), nextCursor: nullable(t.string) })

const auditEntry = t.type({
  auditId: t.string,
  domain: t.string,
  commandId: t.string,
  eventType: t.string,
  ts: instant,
  actor: t.string,
  revision: t.number,
  details: anyJson,
})

export const commandRoutes = {
  sendCommand: route({
    method: 'POST',
    path: '/domains/:domain/commands',
    summary: 'Send a command',
    tag: 'Commands',
    permission: 'send',
    params: domainParams,
    query: none,
    body: newCommand,
    success: { status: 202, body: sent, location: { under: '/domains/:domain/commands', member: 'commandId' } },
    problems: ['DUPLICATE_COMMAND', 'COMMAND_ID_TAKEN', 'DOMAIN_RESERVED', 'REPLY_QUEUE_REFUSED', 'TOO_MANY_QUEUES'],
  }),
  sendCommands: route({
    method: 'POST',
    path: '/domains/:domain/commands/batch',
    summary:
      'Send up to 10,000 commands; duplicates are reported one by one. If only some could be sent, the problem BATCH_FAILED lists the outcome of each command in `results`: accepted, duplicate, unsent or unknown (send it again with the same id: it is stored once)',
    tag: 'Commands',
    permission: 'send',
    params: domainParams,
    query: none,
    body: object({ commands: listOf(newCommand, 0, MAX_COMMANDS) }),
    success: {
      status: 202,
      body: t.type({
        results: t.array(
          t.type({
            commandId: t.string,
            outcome: t.keyof({ accepted: null, duplicate: null, taken: null }),
            msgId: nullable(t.string),
          }),
        ),
      }),
    },
    problems: ['DOMAIN_RESERVED', 'REPLY_QUEUE_REFUSED', 'TOO_MANY_QUEUES', 'BATCH_FAILED'],
  }),
  listDomainCommands: route({
    method: 'GET',
    path: '/domains/:domain/commands',
    summary:
      'Commands of a domain, newest or oldest first (`sort`), without payloads; error messages are cut after 1,000 characters. `scheduled=true`: those that wait for their time',
    tag: 'Commands',
    permission: 'read',
    params: domainParams,
    query: object({}, { ...filters, ...paging }),
    body: null,
    success: { status: 200, body: commandPage },
    problems: [],
  }),
  listCommands: route({
    method: 'GET',
    path: '/commands',
    summary:
      'Commands of all domains, newest or oldest first (`sort`), without payloads; error messages are cut after 1,000 characters. `scheduled=true`: those that wait for their time',
    tag: 'Commands',
    permission: 'read',
    params: none,
    query: object({}, { domain: t.string, ...filters, ...paging }),
    body: null,
    success: { status: 200, body: commandPage },
    problems: [],
  }),
  getCommand: route({
    method: 'GET',
    path: '/domains/:domain/commands/:commandId',
    summary: 'One command with its complete data and result',
    tag: 'Commands',
    permission: 'read',
    params: commandParams,
    query: none,
    body: null,
    success: { status: 200, body: commandDetail },
    problems: ['COMMAND_NOT_FOUND'],
  }),
  cancelCommand: route({
    method: 'DELETE',
    path: '/domains/:domain/commands/:commandId',
    summary: 'Cancel a PENDING command, as its sender',
    tag: 'Commands',
    permission: 'send',
    params: commandParams,
    query: object({}, { reason: t.string }),
    body: null,
    success: { status: 200, body: t.type({ commandId: t.string, status }) },
    problems: ['COMMAND_NOT_FOUND', 'INVALID_OPERATION', 'DOMAIN_RESERVED'],
  }),
  rescheduleCommand: route({
    method: 'POST',
    path: '/domains/:domain/commands/:commandId/reschedule',
    summary:
      'Move a command that nobody has begun to another time: `runAt`, or `delaySeconds` from now, of which 0 runs it at once',
    tag: 'Commands',
    permission: 'reschedule',
    params: commandParams,
    query: none,
    body: object({}, { runAt: instant, delaySeconds: numberFrom(0, YEAR_SECONDS) }),
    success: { status: 200, body: commandDetail },
    problems: ['COMMAND_NOT_FOUND', 'INVALID_OPERATION', 'DOMAIN_RESERVED'],
  }),
  getAuditTrail: route({
    method: 'GET',
    path: '/domains/:domain/commands/:commandId/audit',
    summary:
      'The events of a command, oldest first, or only those of the type `eventType` (MOVED_TO_TSQ is short for MOVED_TO_TROUBLESHOOTING_QUEUE); empty for an unknown id. A detail larger than 4 KiB, like `result` or `diff`, is null; `result_bytes` and `result_preview` give its size and its beginning',
    tag: 'Commands',
    permission: 'audit',
    params: commandParams,
    query: object({}, { eventType: wordOf(auditWords) }),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(auditEntry) }) },
    problems: [],
  }),
}
