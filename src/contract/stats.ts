import * as t from 'io-ts'
import { instant, nullable } from './codecs.ts'
import { none } from './commands.ts'
import { route } from './route.ts'

const counts = {
  PENDING: t.number,
  IN_PROGRESS: t.number,
  COMPLETED: t.number,
  FAILED: t.number,
  CANCELED: t.number,
  IN_TROUBLESHOOTING_QUEUE: t.number,
}

const domain = t.type({
  domain: t.string,
  ...counts,
  oldestPending: nullable(t.type({ createdAt: instant, ageSeconds: t.number })),
})

const minute = t.type({ minute: instant, sent: t.number, completed: t.number, failed: t.number, parked: t.number })

const queue = t.type({
  queue: t.string,
  depth: t.number,
  visible: t.number,
  oldestAgeSeconds: nullable(t.number),
  newestAgeSeconds: nullable(t.number),
  total: t.number,
  strangers: t.number,
})

const feed = t.type({ lagSeconds: t.number, heldBack: t.number, oldestWriterSeconds: t.number })

export const statsRoutes = {
  getStats: route({
    method: 'GET',
    path: '/stats',
    summary: 'Counts by status and domain, throughput of the last minutes, queues and the feed',
    tag: 'Figures',
    permission: 'read',
    params: none,
    query: none,
    body: null,
    success: {
      status: 200,
      body: t.type({
        at: instant,
        total: t.type(counts),
        domains: t.array(domain),
        throughput: t.array(minute),
        queues: t.array(queue),
        feed,
        undeliveredReplies: t.number,
        oldestTransactionSeconds: t.number,
      }),
    },
    problems: [],
  }),
}
