import * as t from 'io-ts'
import { errorTypes } from '../../domain/command/events.ts'
import { anyJson, cutBeside, instant, nullable, wordOf } from '../codecs.ts'
import { commandParams, none } from '../commands.ts'
import { route } from '../route.ts'

const cause = t.intersection([
  t.type({ kind: t.keyof({ cause: null, member: null }), depth: t.number, code: t.string, message: t.string }),
  t.partial({ stack: t.string }),
])

const error = t.intersection([
  t.type({ type: wordOf(errorTypes), code: t.string, message: t.string }),
  t.partial({ details: anyJson, stack: t.string, frame: t.string, causes: t.readonlyArray(cause) }),
  cutBeside('details'),
])

const attempt = t.type({
  attempt: t.number,
  round: t.number,
  dueAt: instant,
  startedAt: nullable(instant),
  waitedMs: nullable(t.number),
  endedAt: nullable(instant),
  ranMs: nullable(t.number),
  worker: nullable(t.string),
  build: nullable(t.string),
  outcome: t.keyof({
    RUNNING: null,
    COMPLETED: null,
    FAILED: null,
    HANDED_BACK: null,
    PARKED: null,
    REJECTED: null,
    EXHAUSTED: null,
    LOST: null,
    ENDED: null,
  }),
  error: nullable(error),
  retryAt: nullable(instant),
})

export const attemptRoutes = {
  getAttempts: route({
    method: 'GET',
    path: '/domains/:domain/commands/:commandId/attempts',
    summary:
      'The attempts of a command, oldest first: when each was due, began and ended, its worker and the build of its program, and its error with the stack. Details of an error of more than 4 KiB are null, with their size and their beginning beside them',
    tag: 'Commands',
    permission: 'audit',
    params: commandParams,
    query: none,
    body: null,
    success: { status: 200, body: t.type({ domain: t.string, commandId: t.string, items: t.array(attempt) }) },
    problems: ['COMMAND_NOT_FOUND'],
  }),
}
