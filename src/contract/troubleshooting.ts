import * as t from 'io-ts'
import { parkedSorts } from '../application/ports/reading/command-queries.ts'
import { MAX_REHEARSAL_MS } from '../application/ports/rehearsals.ts'
import { parkedColumns } from '../domain/command/columns.ts'
import {
  type ActionName,
  actionNamed,
  actionNames,
  type operatorActions,
  optionsOf,
} from '../domain/command/operator-actions.ts'
import {
  type ActionCondition,
  actionConditions,
  type ConditionName,
  type ParkedFilter,
  parkedConditions,
} from '../domain/command/parking.ts'
import { anyJson, cutBeside, instant, integerFrom, nullable, object, status, trueOrFalse, wordOf } from './codecs.ts'
import { codecsOf, commandParams, none, paging } from './commands.ts'
import { changes } from './history.ts'
import { route } from './route.ts'

const codecOfKind = { domain: t.string, commandType: t.string, text: t.string, instant, boolean: trueOrFalse }

const codecsOfConditions = (conditions: typeof parkedConditions) =>
  Object.fromEntries(conditions.map(([name, { kind }]) => [name, codecOfKind[kind]])) as unknown as {
    readonly [Name in ConditionName]: t.Type<Required<ParkedFilter>[Name]>
  }

const filters = codecsOfConditions(parkedConditions)
export const actionFilters: Pick<typeof filters, ActionCondition> = codecsOfConditions(actionConditions)

const itemColumns = { ...codecsOf(parkedColumns), parkedAt: instant, parkedReason: t.string, payload: anyJson }

const item = t.intersection([t.type(itemColumns), cutBeside('payload')])

const group = t.type({
  key: t.string,
  domain: t.string,
  commandType: t.string,
  errorCode: t.string,
  frame: nullable(t.string),
  count: t.number,
  first: instant,
  last: instant,
  sample: nullable(t.string),
  care: nullable(
    t.type({
      assignee: nullable(t.string),
      tags: t.readonlyArray(t.string),
      notes: t.number,
      lastNote: nullable(t.string),
      notedBy: nullable(t.string),
      notedAt: nullable(instant),
      investigatedUntil: nullable(instant),
      investigatedBy: nullable(t.string),
      investigationReason: nullable(t.string),
    }),
  ),
})

/** Of a dry run: what the action would do to a command. */
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

/** Present in the answer to a dry run only. */
const planned = t.partial({ dryRun: commandPlan, planToken: t.string })

const acted = t.intersection([t.type({ commandId: t.string, status }), planned])

/** The answer to a retry also has the id of its message. */
const retried = t.intersection([t.type({ commandId: t.string, status, msgId: nullable(t.string) }), planned])

/** The codec of each kind of option in a request. */
const codecs = {
  text: t.string,
  json: anyJson,
  boolean: t.boolean,
  instant,
  person: nullable(t.string),
  tags: t.array(t.string),
}

/** Codecs of these options, with required and optional ones separate. */
export const optionCodecs = (options: ReturnType<typeof optionsOf>) => {
  const of = (required: boolean): t.Props =>
    Object.fromEntries(
      options
        .filter(([, option]) => (option.required === true) === required)
        .map(([name, { kind }]) => [name, codecs[kind]]),
    )
  return { required: of(true), optional: of(false) }
}

/** The route of an operator's action on one command. */
const actionRoute = <Answer extends t.Mixed>(action: ActionName, answer: Answer) => {
  const { path, http = { method: 'POST', path }, summary, permission } = actionNamed(action)
  const { required, optional } = optionCodecs(optionsOf(action))
  return route({
    method: http.method,
    path: `/domains/:domain/commands/:commandId/${http.path}`,
    summary,
    tag: 'Troubleshooting',
    permission,
    params: commandParams,
    query: none,
    body: object(required, { ...optional, dryRun: t.boolean, planToken: t.string }),
    success: { status: 200, body: answer },
    problems: ['COMMAND_NOT_FOUND', 'INVALID_OPERATION', 'PLAN_CHANGED'],
  })
}

type ActionRoutes = {
  readonly [A in ActionName as (typeof operatorActions)[A]['route']]: ReturnType<
    typeof actionRoute<A extends 'retry' ? typeof retried : typeof acted>
  >
}

export const troubleshootingRoutes = {
  listParked: route({
    method: 'GET',
    path: '/troubleshooting',
    summary:
      'What is parked; `sort`: newest or oldest first, or most attempts; `q` looks in ids, error codes and messages. A payload of more than 4 KiB is null here, with its size and its beginning beside it: the single command has it whole. Messages end after 1,000 characters. `total` is counted for the first page; with `q`, `assignee` or `tag` up to 10,000',
    tag: 'Troubleshooting',
    permission: 'read',
    params: none,
    query: object({}, { ...filters, sort: wordOf(parkedSorts), ...paging }),
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
        items: t.array(t.intersection([t.type({ ...itemColumns, revision: t.number }), cutBeside('payload')])),
        nextCursor: nullable(t.string),
      }),
    },
    problems: [],
  }),
  groupParked: route({
    method: 'GET',
    path: '/troubleshooting/groups',
    summary:
      "What is parked, by domain, type, error code and `frame`, the place in the user's own code that threw the error (null: not known; in filters `none`): the 500 largest groups; a sample is the beginning of a message, up to 1,000 characters",
    tag: 'Troubleshooting',
    permission: 'read',
    params: none,
    query: object({}, filters),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(group) }) },
    problems: [],
  }),
  ...(Object.fromEntries(
    actionNames.map(name => [actionNamed(name).route, actionRoute(name, name === 'retry' ? retried : acted)]),
  ) as ActionRoutes),
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
  listRehearsable: route({
    method: 'GET',
    path: '/troubleshooting/rehearsable',
    summary: 'The domains whose handlers are known here, so that their commands can be rehearsed',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: none,
    query: none,
    body: null,
    success: { status: 200, body: t.type({ items: t.array(t.string) }) },
    problems: [],
  }),
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
