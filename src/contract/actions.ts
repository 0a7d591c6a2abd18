import * as t from 'io-ts'
import { actionStatuses, becameWords } from '../application/ports/action-store.ts'
import { bulkOptionsOf, parkedActionNames } from '../domain/command/operator-actions.ts'
import { instant, listOf, nullable, object, uuid, wordOf } from './codecs.ts'
import { none, paging } from './commands.ts'
import { type ProblemCode, route } from './route.ts'
import { actionFilters, commandPlan, optionCodecs } from './troubleshooting.ts'

/** More than a body of 1 MiB can name. */
const MAX_IDS = 20_000

const actionName = wordOf(parkedActionNames)
const outcome = t.keyof({ SUCCEEDED: null, FAILED: null, SKIPPED: null })

const became = wordOf(becameWords)

const actionItem = t.type({
  ordinal: t.number,
  domain: t.string,
  commandId: t.string,
  outcome: nullable(outcome),
  message: nullable(t.string),
  /** Of a command that was sent again: how it went on. */
  became: nullable(became),
  becameCode: nullable(t.string),
})

const actionStatus = wordOf(actionStatuses)

const hours = object({ from: t.string, to: t.string, timeZone: t.string })

const stopRule = object({}, { failures: t.number, share: t.number, sameCause: t.union([t.number, t.boolean]) })

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
  stages: nullable(t.readonlyArray(t.number)),
  ratePerSecond: nullable(t.number),
  stopWhen: nullable(stopRule),
  between: nullable(hours),
  /** The stage that is sent now, from 1, and how many commands are sent when each is. */
  stage: t.number,
  stageTargets: t.readonlyArray(t.number),
  waitsFor: nullable(wordOf(['undo', 'operator', 'hours', 'rate', 'stage'])),
  startsAt: nullable(instant),
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
    stages: listOf(t.number, 1, 20),
    ratePerSecond: t.number,
    stopWhen: stopRule,
    between: hours,
    undoSeconds: t.number,
    planToken: t.string,
    ...options,
  },
)

const counts = { completed: t.number, parkedAgain: t.number, failed: t.number, canceled: t.number, running: t.number }

const details = t.partial({
  became: t.type(counts),
  changes: t.readonlyArray(
    t.type({
      at: instant,
      status: actionStatus,
      stage: t.number,
      note: nullable(t.string),
      by: nullable(t.string),
      succeeded: t.number,
      failed: t.number,
      skipped: t.number,
    }),
  ),
  items: t.array(actionItem),
  nextCursor: nullable(t.string),
})

const queueCounts = t.array(t.type({ queue: t.string, count: t.number }))

const why = { reason: t.string }

/** What an operator does to an action that is under way. */
const control = <
  const Word extends 'pause' | 'resume' | 'stop',
  const Problems extends readonly ProblemCode[],
  Options extends t.Props,
>(
  word: Word,
  options: Options,
  summary: string,
  problems: Problems,
) =>
  route({
    method: 'POST',
    path: `/troubleshooting/actions/:id/${word}`,
    summary,
    tag: 'Troubleshooting',
    permission: 'operate',
    params: object({ id: uuid }),
    query: none,
    body: object({}, options),
    success: { status: 200, body: t.type(actionProgress) },
    problems,
  })

export const actionRoutes = {
  startAction: route({
    method: 'POST',
    path: '/troubleshooting/actions',
    summary:
      'Retry, cancel or complete all that a filter matches now, or those that are named; it runs in the background: in stages, at a rate, within hours, until a rule stops it. With the `planToken` of a dry run it is refused when anything that showed has changed',
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
    problems: ['PLAN_CHANGED'],
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
        planToken: t.string,
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
  pauseAction: control(
    'pause',
    why,
    'Send nothing more after the piece under way, until it is resumed; what was sent goes on',
    ['ACTION_NOT_FOUND', 'INVALID_OPERATION'],
  ),
  resumeAction: control('resume', {}, 'Go on with a paused action; others stay as they are', ['ACTION_NOT_FOUND']),
  stopAction: control(
    'stop',
    why,
    'End an action after the piece under way: what is done stays done, the rest is SKIPPED and stays parked. One that is over stays as it is',
    ['ACTION_NOT_FOUND'],
  ),
  getAction: route({
    method: 'GET',
    path: '/troubleshooting/actions/:id',
    summary:
      'How far an action has come, who changed it, and what became of the commands that were sent again; with `items=true` a page of its items, with `at` the action as it was at an instant',
    tag: 'Troubleshooting',
    permission: 'operate',
    params: object({ id: uuid }),
    query: object(
      {},
      {
        items: t.keyof({ true: null, false: null }),
        outcome,
        became,
        at: instant,
        ...paging,
      },
    ),
    body: null,
    success: {
      status: 200,
      body: t.intersection([t.type(actionProgress), details]),
    },
    problems: ['ACTION_NOT_FOUND'],
  }),
}
