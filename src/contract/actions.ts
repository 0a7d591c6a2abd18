import * as t from 'io-ts'
import { bulkOptionsOf, parkedActionNames } from '../domain/command/operator-actions.ts'
import { instant, listOf, nullable, object, uuid, wordOf } from './codecs.ts'
import { none, paging } from './commands.ts'
import { route } from './route.ts'
import { actionFilters, commandPlan, optionCodecs } from './troubleshooting.ts'

/** More than a body of 1 MiB can name. */
const MAX_IDS = 20_000

const actionName = wordOf(parkedActionNames)
const outcome = t.keyof({ SUCCEEDED: null, FAILED: null, SKIPPED: null })

const actionItem = t.type({
  ordinal: t.number,
  domain: t.string,
  commandId: t.string,
  outcome: nullable(outcome),
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
  action: actionName,
  status: actionStatus,
  /** The filter of the action; null if it was given ids of commands. */
  filter: nullable(t.partial(actionFilters)),
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

const options: t.Props = Object.assign(
  {},
  ...parkedActionNames.map(name => {
    const { required, optional } = optionCodecs(bulkOptionsOf(name))
    return { ...required, ...optional }
  }),
)

const actionBody = object(
  { action: actionName },
  {
    filter: object({}, actionFilters),
    ids: listOf(object({ domain: t.string, commandId: uuid }), 0, MAX_IDS),
    canary: t.number,
    ...options,
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
    onlyReads: true,
    summary:
      'What an action would do, and what is in its way; nothing is done. Payloads and reply bodies of more than 4 KiB are cut in the samples',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: none,
    query: none,
    body: actionBody,
    success: {
      status: 200,
      body: t.type({
        action: actionName,
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
        outcome,
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
