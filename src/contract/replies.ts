import * as t from 'io-ts'
import { YEAR_SECONDS } from '../domain/instant.ts'
import { instant, integerFrom, listOf, nullable, object, status, trueOrFalse, uuid, wholeNumber } from './codecs.ts'
import { none, paging } from './commands.ts'
import { route } from './route.ts'

const MAX_LIMIT = 500

const reply = t.type({
  replyId: t.string,
  domain: t.string,
  commandId: t.string,
  tenantId: nullable(t.string),
  queue: t.string,
  reason: t.string,
  since: instant,
  tries: t.number,
  deliveredAt: nullable(instant),
  deliveredBy: nullable(t.string),
  deliveredTo: nullable(t.string),
})

const owed = t.type({
  domain: t.string,
  commandId: t.string,
  commandType: t.string,
  status,
  tenantId: nullable(t.string),
  runAt: nullable(instant),
  replyTo: t.string,
  since: instant,
  late: t.boolean,
})

const choice = { domain: t.string, commandId: uuid, queue: t.string }

export const replyRoutes = {
  listOwed: route({
    method: 'GET',
    path: '/replies/owed',
    summary:
      'Which senders wait for a reply, oldest first: unfinished commands with `replyTo`, parked ones too. `since` is when the command was sent; `late` says that this is longer ago than `lateAfterSeconds` (counted from `runAt`, if that is later)',
    tag: 'Replies',
    permission: 'read',
    params: none,
    query: object(
      {},
      {
        domain: t.string,
        queue: t.string,
        late: trueOrFalse,
        lateAfterSeconds: wholeNumber(1, YEAR_SECONDS),
        ...paging,
      },
    ),
    body: null,
    success: {
      status: 200,
      body: t.type({
        items: t.array(owed),
        nextCursor: nullable(t.string),
        total: t.number,
        late: t.number,
        oldest: nullable(instant),
        lateAfterSeconds: t.number,
      }),
    },
    problems: [],
  }),
  listUndelivered: route({
    method: 'GET',
    path: '/replies/undelivered',
    summary: 'Replies that could not be delivered, newest first; with `delivered=true` those that were delivered later',
    tag: 'Replies',
    permission: 'operate',
    params: none,
    query: object({}, { ...choice, delivered: t.keyof({ true: null, false: null }), ...paging }),
    body: null,
    success: { status: 200, body: t.type({ items: t.array(reply), nextCursor: nullable(t.string) }) },
    problems: [],
  }),
  deliverAgain: route({
    method: 'POST',
    path: '/replies/undelivered/deliver',
    summary:
      'Deliver undelivered replies again, each once: those named, or those that match, to their queue or to another one',
    tag: 'Replies',
    permission: 'operate',
    params: none,
    query: none,
    body: object(
      {},
      { ...choice, replyIds: listOf(t.string, 1, MAX_LIMIT), to: t.string, limit: integerFrom(1, MAX_LIMIT) },
    ),
    success: {
      status: 200,
      body: t.type({
        delivered: t.number,
        failed: t.array(
          t.type({ replyId: t.string, domain: t.string, commandId: t.string, queue: t.string, reason: t.string }),
        ),
      }),
    },
    problems: ['REPLY_QUEUE_REFUSED', 'TOO_MANY_QUEUES'],
  }),
}
