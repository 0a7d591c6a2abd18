import { randomUUID } from 'node:crypto'
import type { Api } from '../../../src/contract/index.ts'
import type { ProblemCode } from '../../../src/contract/route.ts'
import { PermanentCommandError, type Role } from '../../../src/index.ts'
import { parkMany } from '../../support/actions.ts'
import type { SharedApi } from '../../support/http.ts'
import { beginAttempt } from '../../support/lives/begin-attempt.ts'

/** What the contract says of a route; written by hand, to be compared with the declaration. */
export interface Expected {
  /** Method and path below the base path. */
  readonly is: string
  readonly roles: readonly Role[]
  /** A valid body; missing for a route without a body. */
  readonly body?: unknown
  /** The same, if a valid body needs something that exists. */
  readonly prepareBody?: (api: SharedApi) => Promise<unknown>
  /** Required members of the body, when not all members of `body` are. */
  readonly required?: readonly string[]
  /** One of several members is needed: the description of the body names none as required. */
  readonly eachIsOptional?: true
  readonly succeeds: 200 | 201 | 202
  /** The answer for an unknown id: a code, or one of these. */
  readonly unknown: ProblemCode | 'empty list' | 'no id in its path'
  /** Makes an object for the call and returns its id; by default a parked command. */
  readonly prepare?: (api: SharedApi) => Promise<string>
  /** What the query must have, in a valid call. */
  readonly requiredQuery?: Readonly<Record<string, string>>
  /** Valid names of the query. */
  readonly query: readonly string[]
  /** It answers from the process's memory, also while the database is away. */
  readonly fromMemory?: true
}

const readers: readonly Role[] = ['SENDER', 'OPERATOR', 'AUDITOR', 'ADMIN', 'CUSTOMER_ADMIN', 'BUBBLE_ADMIN']
const senders: readonly Role[] = ['SENDER', 'ADMIN']
const operators: readonly Role[] = ['OPERATOR', 'ADMIN']
const users: readonly Role[] = ['USER', 'ADMIN']
const runners: readonly Role[] = ['CUSTOMER_ADMIN', 'BUBBLE_ADMIN']
const auditors: readonly Role[] = ['AUDITOR', 'OPERATOR', 'ADMIN']

const charge = { commandType: 'Charge', data: { amount: 5 } }
const filters = [
  'status',
  'commandType',
  'errorCode',
  'correlationId',
  'createdAfter',
  'createdBefore',
  'scheduled',
  'retrying',
  'payload',
  'idPrefix',
  'message',
  'sort',
]
const parkedFilters = ['domain', 'commandType', 'errorCode', 'frame', 'from', 'to', 'q', 'snoozed', 'assignee', 'tag']
const paging = ['limit', 'cursor']

const question = { operation_type: 'question_generation', parameters: { topic: 'x' } }

/** A permanently failed operation of the default token's subject. */
const failedOperation = async ({ bus, until }: SharedApi): Promise<string> => {
  const jane = bus.as({ subject: 'jane@example.com', tenant: null, roles: ['USER'] })
  const { id } = await jane.operations.start(question)
  const refuse = () => {
    throw new PermanentCommandError('UNAUTHORIZED', 'the model answered 401')
  }
  const worker = bus.worker({ domain: 'operations', pollMs: 20, handlers: { '*': refuse } })
  await worker.start()
  await until(
    () => jane.operations.get(id),
    ({ status }) => status === 'failed',
  )
  await worker.stop()
  return id
}

/** As if a worker had started it. */
const runningCommand = async ({ bus, pool }: SharedApi): Promise<string> => {
  const { commandId, msgId } = await bus.send('payments', 'Hang', {})
  await beginAttempt(pool, { domain: 'payments', commandId }, msgId ?? '')
  return commandId
}

const emptyAction = async ({ bus }: SharedApi): Promise<string> =>
  (await bus.actions.start({ action: 'retry', filter: { errorCode: 'NOBODY_HAS_THIS' }, operator: 'jane' })).actionId

/** Nobody carries it out. */
const openAction = async ({ bus, pool }: SharedApi): Promise<string> => {
  const [commandId = ''] = await parkMany(pool, 1)
  const ids = [{ domain: 'payments', commandId }]
  return (await bus.actions.start({ action: 'retry', ids, operator: 'jane' })).actionId
}

const admin = { subject: 'jane@example.com', tenant: null }
const freeTemplate = ({ bus }: SharedApi) => bus.runs.createTemplate(admin, { name: 'Free', creditsPerRun: 0 })

/** It has no worker. */
const startedRun = async (api: SharedApi): Promise<string> => {
  const { id } = await freeTemplate(api)
  return (await api.bus.runs.initiate(admin, { templateId: id, files: [{ fileName: 'a.pdf', input: {} }] })).id
}

/** A run whose only job was canceled by somebody else: over, with a file to continue. */
const failedRun = async (api: SharedApi): Promise<string> => {
  const id = await startedRun(api)
  const { items } = await api.bus.queryCommands({ domain: 'workflow', correlationId: id })
  await api.bus.cancel('workflow', items[0]?.commandId ?? '')
  const runner = new AbortController()
  const ended = api.bus.runs.run(runner.signal)
  await api.until(
    () => api.bus.runs.get(admin, id),
    ({ status }) => status === 'FAILED',
  )
  runner.abort()
  await ended
  return id
}

const nightly = { domain: 'reports', commandType: 'Nightly', data: {}, cron: '30 2 * * *' }
const schedule = async ({ bus }: SharedApi): Promise<string> => {
  const name = `of-${randomUUID()}`
  await bus.schedules.set(name, nightly)
  return name
}

const view = async ({ bus }: SharedApi): Promise<string> => {
  const name = `of-${randomUUID()}`
  await bus.views.set(admin, name, { list: 'commands', filter: {} })
  return name
}

/** Of a type that nobody sends: in a lane, the commands that others park would hold up each other. */
const limit = async ({ bus }: SharedApi): Promise<string> => {
  const name = `of-${randomUUID()}`
  await bus.limits.set('payments', name, { by: 'type', commandType: 'Nothing', width: 2 })
  return name
}

/** Nobody listens there. */
const alert = async ({ bus }: SharedApi): Promise<string> => {
  const name = `of-${randomUUID()}`
  await bus.alerts.set(name, { url: 'http://127.0.0.1:9/', secret: 'a-secret-of-the-tests', on: 'parked' })
  return name
}

/** Of a type that nobody sends. */
const cause = { domain: 'payments', commandType: 'Nothing', errorCode: 'NONE' }

/** A declared route that is missing here is a type error, and fails the tests that go through all routes. */
export const expected: { readonly [Id in keyof Api]: Expected } = {
  sendCommand: {
    is: 'POST /domains/:domain/commands',
    roles: senders,
    body: charge,
    succeeds: 202,
    unknown: 'no id in its path',
    query: [],
  },
  sendCommands: {
    is: 'POST /domains/:domain/commands/batch',
    roles: senders,
    body: { commands: [charge, charge] },
    succeeds: 202,
    unknown: 'no id in its path',
    query: [],
  },
  listDomainCommands: {
    is: 'GET /domains/:domain/commands',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: [...filters, ...paging],
  },
  listCommands: {
    is: 'GET /commands',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain', ...filters, ...paging],
  },
  getCommand: {
    is: 'GET /domains/:domain/commands/:commandId',
    roles: readers,
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  cancelCommand: {
    is: 'DELETE /domains/:domain/commands/:commandId',
    roles: senders,
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: ['reason'],
    prepare: async api => (await api.bus.send('payments', 'Charge', {})).commandId,
  },
  rescheduleCommand: {
    is: 'POST /domains/:domain/commands/:commandId/reschedule',
    roles: ['SENDER', 'OPERATOR', 'ADMIN'],
    body: { delaySeconds: 3_600 },
    required: ['runAt, delaySeconds'],
    eachIsOptional: true,
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
    prepare: async api => (await api.bus.send('payments', 'Charge', {})).commandId,
  },
  getAuditTrail: {
    is: 'GET /domains/:domain/commands/:commandId/audit',
    roles: auditors,
    succeeds: 200,
    unknown: 'empty list',
    query: ['eventType'],
  },
  getHistory: {
    is: 'GET /domains/:domain/commands/:commandId/history',
    roles: auditors,
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: ['at', 'from', 'to'],
  },
  getCorrelation: {
    is: 'GET /correlations/:correlationId',
    roles: auditors,
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  getRunHistory: {
    is: 'GET /workflow-runs/:id/history',
    roles: auditors,
    succeeds: 200,
    unknown: 'RUN_NOT_FOUND',
    query: ['at', 'from', 'to'],
    prepare: startedRun,
  },
  listParked: {
    is: 'GET /troubleshooting',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: [...parkedFilters, 'sort', ...paging],
  },
  listParkedAt: {
    is: 'GET /troubleshooting/history',
    roles: auditors,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['at', ...parkedFilters, ...paging],
  },
  groupParked: {
    is: 'GET /troubleshooting/groups',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: parkedFilters,
  },
  retryCommand: {
    is: 'POST /domains/:domain/commands/:commandId/retry',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  operatorCancel: {
    is: 'POST /domains/:domain/commands/:commandId/cancel',
    roles: operators,
    body: { reason: 'the customer is gone' },
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  operatorComplete: {
    is: 'POST /domains/:domain/commands/:commandId/complete',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  snoozeCommand: {
    is: 'POST /domains/:domain/commands/:commandId/snooze',
    roles: operators,
    body: { until: new Date(Date.now() + 3_600_000).toISOString() },
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  noteCommand: {
    is: 'POST /domains/:domain/commands/:commandId/notes',
    roles: operators,
    body: { text: 'waits for the bank' },
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  assignCommand: {
    is: 'PUT /domains/:domain/commands/:commandId/assignee',
    roles: operators,
    body: { assignee: 'jane@example.com' },
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  tagCommand: {
    is: 'PUT /domains/:domain/commands/:commandId/tags',
    roles: operators,
    body: { tags: ['bank'] },
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  endAttempt: {
    is: 'POST /domains/:domain/commands/:commandId/end-attempt',
    roles: operators,
    body: { reason: 'it hangs' },
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
    prepare: runningCommand,
  },
  listRehearsable: {
    is: 'GET /troubleshooting/rehearsable',
    roles: operators,
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
    fromMemory: true,
  },
  rehearseCommand: {
    is: 'POST /domains/:domain/commands/:commandId/rehearse',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  startAction: {
    is: 'POST /troubleshooting/actions',
    roles: operators,
    body: { action: 'retry', filter: { errorCode: 'NOBODY_HAS_THIS' } },
    required: ['action'],
    succeeds: 202,
    unknown: 'no id in its path',
    query: [],
  },
  dryRunAction: {
    is: 'POST /troubleshooting/actions/dry-run',
    roles: operators,
    body: { action: 'retry', filter: { errorCode: 'NOBODY_HAS_THIS' } },
    required: ['action'],
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  listActions: {
    is: 'GET /troubleshooting/actions',
    roles: operators,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['status', ...paging],
  },
  pauseAction: {
    is: 'POST /troubleshooting/actions/:id/pause',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'ACTION_NOT_FOUND',
    query: [],
    prepare: openAction,
  },
  resumeAction: {
    is: 'POST /troubleshooting/actions/:id/resume',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'ACTION_NOT_FOUND',
    query: [],
    prepare: emptyAction,
  },
  stopAction: {
    is: 'POST /troubleshooting/actions/:id/stop',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'ACTION_NOT_FOUND',
    query: [],
    prepare: emptyAction,
  },
  getAction: {
    is: 'GET /troubleshooting/actions/:id',
    roles: operators,
    succeeds: 200,
    unknown: 'ACTION_NOT_FOUND',
    query: ['items', 'outcome', 'became', 'at', ...paging],
    prepare: emptyAction,
  },
  listCauses: {
    is: 'GET /troubleshooting/causes',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain', 'commandType', 'errorCode'],
  },
  noteCause: {
    is: 'POST /troubleshooting/causes/notes',
    roles: operators,
    body: { ...cause, text: 'waits for the bank' },
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  assignCause: {
    is: 'PUT /troubleshooting/causes/assignee',
    roles: operators,
    body: { ...cause, assignee: 'jane@example.com' },
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  tagCause: {
    is: 'PUT /troubleshooting/causes/tags',
    roles: operators,
    body: { ...cause, tags: ['bank'] },
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  investigateCause: {
    is: 'PUT /troubleshooting/causes/investigation',
    roles: operators,
    body: { ...cause, until: null },
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  listAlerts: {
    is: 'GET /alerts',
    roles: operators,
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  getAlert: {
    is: 'GET /alerts/:name',
    roles: operators,
    succeeds: 200,
    unknown: 'ALERT_NOT_FOUND',
    query: [],
    prepare: alert,
  },
  setAlert: {
    is: 'PUT /alerts/:name',
    roles: operators,
    body: { url: 'https://hooks.example.com/on-call', secret: 'a-secret-of-the-tests', on: ['groups'] },
    required: ['url', 'on'],
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
    prepare: async () => 'on-call',
  },
  deleteAlert: {
    is: 'DELETE /alerts/:name',
    roles: operators,
    succeeds: 200,
    unknown: 'ALERT_NOT_FOUND',
    query: [],
    prepare: alert,
  },
  testAlert: {
    is: 'POST /alerts/:name/test',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'ALERT_NOT_FOUND',
    query: [],
    prepare: alert,
  },
  listSentAlerts: {
    is: 'GET /alerts/:name/sent',
    roles: operators,
    succeeds: 200,
    unknown: 'ALERT_NOT_FOUND',
    query: paging,
    prepare: alert,
  },
  listOwed: {
    is: 'GET /replies/owed',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain', 'queue', 'late', 'lateAfterSeconds', ...paging],
  },
  listUndelivered: {
    is: 'GET /replies/undelivered',
    roles: operators,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain', 'commandId', 'queue', 'delivered', ...paging],
  },
  deliverAgain: {
    is: 'POST /replies/undelivered/deliver',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  listStrangers: {
    is: 'GET /strangers',
    roles: operators,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain', 'queue', 'messageType', 'settled', ...paging],
  },
  adoptStrangers: {
    is: 'POST /strangers/adopt',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  dropStrangers: {
    is: 'POST /strangers/drop',
    roles: operators,
    body: { reason: 'sent twice' },
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  startOperation: {
    is: 'POST /operations',
    roles: users,
    body: question,
    succeeds: 202,
    unknown: 'no id in its path',
    query: [],
  },
  listOperations: {
    is: 'GET /operations',
    roles: users,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['status', ...paging],
  },
  getOperation: {
    is: 'GET /operations/:id',
    roles: users,
    succeeds: 200,
    unknown: 'OPERATION_NOT_FOUND',
    query: [],
    prepare: failedOperation,
  },
  retryOperation: {
    is: 'POST /operations/:id/retry',
    roles: users,
    body: {},
    succeeds: 200,
    unknown: 'OPERATION_NOT_FOUND',
    query: [],
    prepare: failedOperation,
  },
  createTemplate: {
    is: 'POST /workflow-templates',
    roles: runners,
    body: { name: 'Summaries', creditsPerRun: 2 },
    succeeds: 201,
    unknown: 'no id in its path',
    query: [],
  },
  listTemplates: {
    is: 'GET /workflow-templates',
    roles: runners,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['archived', 'tenantId', ...paging],
  },
  archiveTemplate: {
    is: 'DELETE /workflow-templates/:id',
    roles: runners,
    succeeds: 200,
    unknown: 'NOT_FOUND',
    query: [],
    prepare: async api => (await freeTemplate(api)).id,
  },
  startRun: {
    is: 'POST /workflow-runs',
    roles: runners,
    prepareBody: async api => ({ templateId: (await freeTemplate(api)).id, files: [{ fileName: 'a.pdf', input: {} }] }),
    body: { templateId: '00000000-0000-4000-8000-00000000dead', files: [{ fileName: 'a.pdf', input: {} }] },
    succeeds: 202,
    unknown: 'no id in its path',
    query: [],
  },
  listRuns: {
    is: 'GET /workflow-runs',
    roles: runners,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['status', 'tenantId', ...paging],
  },
  getRun: {
    is: 'GET /workflow-runs/:id',
    roles: runners,
    succeeds: 200,
    unknown: 'RUN_NOT_FOUND',
    query: [],
    prepare: startedRun,
  },
  previewRetry: {
    is: 'GET /workflow-runs/:id/retry-failed',
    roles: runners,
    succeeds: 200,
    unknown: 'RUN_NOT_FOUND',
    query: [],
    prepare: startedRun,
  },
  retryFailed: {
    is: 'POST /workflow-runs/:id/retry-failed',
    roles: runners,
    body: {},
    succeeds: 200,
    unknown: 'RUN_NOT_FOUND',
    query: [],
    prepare: failedRun,
  },
  cancelRun: {
    is: 'POST /workflow-runs/:id/cancel',
    roles: runners,
    body: {},
    succeeds: 200,
    unknown: 'RUN_NOT_FOUND',
    query: [],
    prepare: startedRun,
  },
  getCredits: {
    is: 'GET /credits',
    roles: runners,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['tenantId', ...paging],
  },
  grantCredits: {
    is: 'POST /credits/grants',
    roles: ['BUBBLE_ADMIN'],
    body: { pool: 'monthly', amount: 5, reason: 'plan' },
    succeeds: 201,
    unknown: 'no id in its path',
    query: [],
  },
  listLanes: {
    is: 'GET /lanes',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain', 'blocked', ...paging],
  },
  getLane: {
    is: 'GET /domains/:domain/lanes/:lane',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
    prepare: async () => 'order 1/2',
  },
  setLane: {
    is: 'PUT /domains/:domain/lanes/:lane',
    roles: operators,
    body: { width: 2 },
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
    prepare: async () => 'order 1/2',
  },
  listLimits: {
    is: 'GET /domains/:domain/limits',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  getLimit: {
    is: 'GET /domains/:domain/limits/:name',
    roles: readers,
    succeeds: 200,
    unknown: 'NOT_FOUND',
    query: [],
    prepare: limit,
  },
  setLimit: {
    is: 'PUT /domains/:domain/limits/:name',
    roles: operators,
    body: { by: 'type', width: 2, commandType: 'Nothing' },
    required: ['by', 'width'],
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
    prepare: async () => 'charges',
  },
  deleteLimit: {
    is: 'DELETE /domains/:domain/limits/:name',
    roles: operators,
    succeeds: 200,
    unknown: 'NOT_FOUND',
    query: [],
    prepare: limit,
  },
  listSchedules: {
    is: 'GET /schedules',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain', ...paging],
  },
  getSchedule: {
    is: 'GET /schedules/:name',
    roles: readers,
    succeeds: 200,
    unknown: 'SCHEDULE_NOT_FOUND',
    query: [],
    prepare: schedule,
  },
  setSchedule: {
    is: 'PUT /schedules/:name',
    roles: operators,
    body: nightly,
    required: ['domain', 'commandType', 'data'],
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
    prepare: async () => 'nightly',
  },
  deleteSchedule: {
    is: 'DELETE /schedules/:name',
    roles: operators,
    succeeds: 200,
    unknown: 'SCHEDULE_NOT_FOUND',
    query: [],
    prepare: schedule,
  },
  pauseSchedule: {
    is: 'POST /schedules/:name/pause',
    roles: operators,
    body: { reason: 'month end' },
    succeeds: 200,
    unknown: 'SCHEDULE_NOT_FOUND',
    query: [],
    prepare: schedule,
  },
  resumeSchedule: {
    is: 'POST /schedules/:name/resume',
    roles: operators,
    body: {},
    succeeds: 200,
    unknown: 'SCHEDULE_NOT_FOUND',
    query: [],
    prepare: schedule,
  },
  runSchedule: {
    is: 'POST /schedules/:name/run',
    roles: operators,
    body: {},
    succeeds: 202,
    unknown: 'SCHEDULE_NOT_FOUND',
    query: [],
    prepare: schedule,
  },
  pause: {
    is: 'POST /flow/pauses',
    roles: operators,
    // no worker has this domain: the others of the shared database go on
    body: { domain: 'nobodys', reason: 'the provider is down', commandType: 'Nothing' },
    required: ['domain', 'reason'],
    succeeds: 201,
    unknown: 'no id in its path',
    query: [],
  },
  listPauses: {
    is: 'GET /flow/pauses',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain', 'at'],
  },
  resume: {
    is: 'DELETE /flow/pauses/:id',
    roles: operators,
    succeeds: 200,
    unknown: 'NOT_FOUND',
    prepare: async ({ bus }) =>
      (await bus.pause({ domain: 'payments', commandType: `T${Math.random().toString(36).slice(2)}`, reason: 'x' }))
        .pauseId,
    query: [],
  },
  listSearchable: { is: 'GET /search/paths', roles: readers, succeeds: 200, unknown: 'no id in its path', query: [] },
  declareSearchable: {
    is: 'POST /search/paths',
    roles: operators,
    body: { commandType: 'Nothing', paths: ['order.id'], domain: 'nobodys' },
    required: ['commandType', 'paths'],
    succeeds: 202,
    unknown: 'no id in its path',
    query: [],
  },
  dropSearchable: {
    is: 'POST /search/paths/drop',
    roles: operators,
    body: { commandType: 'Nothing', path: 'order.id', domain: 'nobodys' },
    required: ['commandType', 'path'],
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
  },
  listViews: { is: 'GET /views', roles: readers, succeeds: 200, unknown: 'no id in its path', query: [] },
  getView: { is: 'GET /views/:name', roles: readers, succeeds: 200, unknown: 'NOT_FOUND', prepare: view, query: [] },
  setView: {
    is: 'PUT /views/:name',
    roles: readers,
    body: { list: 'commands', filter: { status: 'FAILED' }, shared: false },
    required: ['list', 'filter'],
    succeeds: 200,
    unknown: 'no id in its path',
    prepare: view,
    query: [],
  },
  deleteView: {
    is: 'DELETE /views/:name',
    roles: readers,
    succeeds: 200,
    unknown: 'NOT_FOUND',
    prepare: view,
    query: ['shared'],
  },
  getStats: { is: 'GET /stats', roles: readers, succeeds: 200, unknown: 'no id in its path', query: [] },
  listWorkers: {
    is: 'GET /workers',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain'],
  },
  listMissingWorkers: {
    is: 'GET /workers/missing',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['domain'],
  },
  listTypes: {
    is: 'GET /types',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['range', 'domain', 'commandType'],
  },
  listQueues: {
    is: 'GET /queues',
    roles: readers,
    succeeds: 200,
    unknown: 'no id in its path',
    query: ['range', 'queue'],
  },
  listFailures: { is: 'GET /failures', roles: readers, succeeds: 200, unknown: 'no id in its path', query: [] },
  getStatus: { is: 'GET /status', roles: readers, succeeds: 200, unknown: 'no id in its path', query: ['timeZone'] },
  getProof: {
    is: 'GET /proof',
    roles: auditors,
    succeeds: 200,
    unknown: 'no id in its path',
    query: [],
    fromMemory: true,
  },
  getAttempts: {
    is: 'GET /domains/:domain/commands/:commandId/attempts',
    roles: auditors,
    succeeds: 200,
    unknown: 'COMMAND_NOT_FOUND',
    query: [],
  },
  explainCause: {
    is: 'GET /troubleshooting/explain',
    roles: auditors,
    succeeds: 200,
    unknown: 'no id in its path',
    requiredQuery: { domain: 'payments', commandType: 'Charge', errorCode: 'NOBODY_HAS_THIS' },
    query: ['domain', 'commandType', 'errorCode', 'frame'],
  },
}

export const allRoutes = Object.entries(expected) as readonly (readonly [keyof Api, Expected])[]
export const routesWithId = allRoutes.filter(([, { unknown }]) => unknown !== 'no id in its path')
/** Their ids name a command in a domain. */
export const commandRoutes = routesWithId.filter(([, { is }]) => is.includes(':commandId'))
export const routesWithBody = allRoutes.filter(([, { body }]) => body !== undefined)

/** Their ids are UUIDs, not names. */
export const routesWithUuid = routesWithId.filter(([, { is }]) => !is.includes(':name'))

export const UNKNOWN_ID = '00000000-0000-4000-8000-00000000dead'
const UNKNOWN_NAME = 'nobody.has-this'
/** Routes that make what they name. */
const MADE_NAME = 'made-by-its-name'

/** Method and path of a route with its parameters filled in. */
export const addressOf = (
  { is, requiredQuery }: Pick<Expected, 'is' | 'requiredQuery'>,
  commandId: string = UNKNOWN_ID,
  domain = 'payments',
): readonly [method: string, path: string] => {
  const [method = '', path = ''] = is.split(' ')
  const query = requiredQuery === undefined ? '' : `?${new URLSearchParams(requiredQuery)}`
  const name = commandId !== UNKNOWN_ID ? commandId : method === 'PUT' ? MADE_NAME : UNKNOWN_NAME
  return [
    method,
    path
      .replace(':domain', domain)
      .replace(':name', name)
      .replace(':lane', encodeURIComponent(name))
      .replace(/:(commandId|id)\b/, commandId)
      .concat(query),
  ]
}
