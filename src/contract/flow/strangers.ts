import * as t from 'io-ts'
import { anyJson, instant, integerFrom, listOf, nullable, object, trueOrFalse } from '../codecs.ts'
import { none, paging } from '../commands.ts'
import { route } from '../route.ts'

const MAX_LIMIT = 500

const stranger = t.intersection([
  t.type({
    strangerId: t.string,
    domain: t.string,
    queue: t.string,
    msgId: t.string,
    reads: t.number,
    enqueuedAt: instant,
    message: anyJson,
    headers: anyJson,
    why: t.string,
    foundAt: instant,
    outcome: nullable(t.keyof({ adopted: null, dropped: null })),
    settledAt: nullable(instant),
    settledBy: nullable(t.string),
    reason: nullable(t.string),
    commandId: nullable(t.string),
  }),
  t.partial({ messageBytes: t.number, messagePreview: t.string }),
])

const choice = { domain: t.string, queue: t.string, messageType: t.string }
/** Those named, or those that match, oldest first. */
const some = {
  ...choice,
  strangerIds: listOf(t.string, 1, MAX_LIMIT),
  limit: integerFrom(1, MAX_LIMIT),
  cursor: t.string,
}

export const strangerRoutes = {
  listStrangers: route({
    method: 'GET',
    path: '/strangers',
    summary:
      'Messages on command queues that no command of this bus sent, newest first; with `settled=true` those that were adopted or dropped',
    tag: 'Strangers',
    permission: 'operate',
    params: none,
    query: object({}, { ...choice, settled: trueOrFalse, ...paging }),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(stranger), nextCursor: nullable(t.string) }) },
    problems: [],
  }),
  adoptStrangers: route({
    method: 'POST',
    path: '/strangers/adopt',
    summary: 'Make commands of strangers, each once: those named, or those that match; what cannot be adopted stays',
    tag: 'Strangers',
    permission: 'operate',
    params: none,
    query: none,
    body: object({}, { ...some, commandType: t.string, replyTo: nullable(t.string), asNew: t.boolean }),
    success: {
      status: 200,
      body: t.type({
        adopted: t.array(t.type({ strangerId: t.string, domain: t.string, commandId: t.string })),
        failed: t.array(t.type({ strangerId: t.string, domain: t.string, reason: t.string })),
        nextCursor: nullable(t.string),
      }),
    },
    problems: ['REPLY_QUEUE_REFUSED', 'TOO_MANY_QUEUES'],
  }),
  dropStrangers: route({
    method: 'POST',
    path: '/strangers/drop',
    summary: 'Give up strangers: those named, or those that match; their messages are deleted',
    tag: 'Strangers',
    permission: 'operate',
    params: none,
    query: none,
    body: object({ reason: t.string }, some),
    success: { status: 200, body: t.type({ dropped: t.number, nextCursor: nullable(t.string) }) },
    problems: [],
  }),
}
