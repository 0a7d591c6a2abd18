import * as t from 'io-ts'
import { type FigureRange, figureRanges } from '../../application/ports/reading/figures.ts'
import { instant, nullable, object, wordOf } from '../codecs.ts'
import { none } from '../commands.ts'
import { route } from '../route.ts'

export { type FigureRange, figureRanges }

const outcomes = {
  sent: t.number,
  failedAttempts: t.number,
  completed: t.number,
  failed: t.number,
  parked: t.number,
  canceled: t.number,
}
const spread = t.type({ p50Ms: nullable(t.number), p95Ms: nullable(t.number) })
const counted = { at: instant, behindSeconds: nullable(t.number) }
const inRange = { ...counted, range: wordOf(figureRanges), from: instant, bucketSeconds: t.number }

const typeFigures = t.type({
  domain: t.string,
  commandType: t.string,
  ...outcomes,
  attempts: t.number,
  sentPerMinute: t.number,
  failureShare: nullable(t.number),
  wait: spread,
  run: spread,
  errors: t.array(t.type({ code: t.string, count: t.number })),
  lastSuccessAt: nullable(instant),
  waiting: t.number,
  waitingSince: nullable(instant),
  scheduled: t.number,
  running: t.number,
})

const queueFigures = t.type({
  queue: t.string,
  kind: wordOf(['commands', 'replies', 'other']),
  domain: nullable(t.string),
  ready: t.number,
  inFlight: t.number,
  delayed: t.number,
  held: t.number,
  depth: t.number,
  change: nullable(t.number),
  inPerMinute: nullable(t.number),
  outPerMinute: nullable(t.number),
  oldestAgeSeconds: nullable(t.number),
  unreadSeconds: nullable(t.number),
  total: t.number,
  strangers: t.number,
})

const cause = t.type({
  domain: t.string,
  commandType: t.string,
  errorCode: t.string,
  parked: t.number,
  failed: t.number,
  first: instant,
  last: instant,
  last15m: t.number,
  last1h: t.number,
  series: t.array(t.number),
  isNew: t.boolean,
  sample: nullable(t.string),
})

const problem = t.type({
  kind: wordOf(['noWorker', 'allFail', 'typeFails', 'newError', 'failing', 'unreadQueue', 'figuresLate']),
  domain: nullable(t.string),
  commandType: nullable(t.string),
  errorCode: nullable(t.string),
  queue: nullable(t.string),
  since: instant,
  count: t.number,
  trend: nullable(wordOf(['rises', 'steady', 'falls'])),
  sentence: t.string,
})

const range = wordOf(figureRanges)
const figures = { method: 'GET', tag: 'Figures', permission: 'read', params: none, body: null, problems: [] } as const

export const figureRoutes = {
  listTypes: route({
    ...figures,
    path: '/types',
    summary:
      'Types of commands: what was sent in the range and how it ended, p50 and p95 of how long attempts waited and ran, error codes, and what waits now. `series` has the buckets of the range. A token of one tenant sees none',
    query: object({}, { range, domain: t.string, commandType: t.string }),
    success: {
      status: 200,
      body: t.type({
        ...inRange,
        series: t.array(t.type({ at: instant, ...outcomes })),
        items: t.array(typeFigures),
        total: t.number,
      }),
    },
  }),
  listQueues: route({
    ...figures,
    path: '/queues',
    summary:
      'Queues: what can be read, what workers have, what waits for its time, how many messages come and go a minute, and since when nobody has read. With `queue`: also its buckets. They hold the commands of all tenants: only a token for all of them sees any',
    query: object({}, { range, queue: t.string }),
    success: {
      status: 200,
      body: t.type({
        ...inRange,
        series: t.array(t.type({ at: instant, depth: nullable(t.number), came: t.number, went: t.number })),
        items: t.array(queueFigures),
      }),
    },
  }),
  listFailures: route({
    ...figures,
    path: '/failures',
    summary:
      'Why commands fail: each type and error code with what is parked, what ended FAILED within seven days, and its course in the last hour; those that fail now come first. At most 500, and how many there are',
    query: none,
    success: { status: 200, body: t.type({ ...counted, items: t.array(cause), total: t.number }) },
  }),
  getStatus: route({
    ...figures,
    path: '/status',
    summary:
      'What is broken, since when, how much, and whether it gets worse: one sentence, and its parts, the worst first',
    query: object({}, { timeZone: t.string }),
    success: { status: 200, body: t.type({ at: instant, sentence: t.string, problems: t.array(problem) }) },
  }),
}
