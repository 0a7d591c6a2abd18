import { expect, test } from 'vitest'
import type { CauseCourse } from '../../../src/application/ports/reading/figures.ts'
import type { StatusFacts } from '../../../src/application/watching/problems.ts'
import { statusOf } from '../../../src/application/watching/status.ts'

const NOW = '2026-11-29T13:21:30.000Z'
const MINUTE = 60_000

const quiet: StatusFacts = { at: NOW, noWorkers: [], causes: [], types: [], queues: [], parked: 0, behindSeconds: 1 }

/** Failures of one code: `perMinute` for as many minutes as the list is long, up to now. */
const cause = (
  commandType: string,
  errorCode: string,
  perMinute: readonly number[],
  more: Partial<CauseCourse> = {},
): CauseCourse => ({
  domain: 'payments',
  commandType,
  errorCode,
  parked: 0,
  failed: 0,
  first: '2026-11-24T08:00:00.000Z',
  last: NOW,
  isNew: false,
  minutes: [...Array.from({ length: 60 - Math.min(60, perMinute.length) }, () => 0), ...perMinute.slice(-60)],
  quarters: Array.from({ length: 96 }, (_, i) =>
    i >= 96 - Math.ceil(perMinute.length / 15) && perMinute.length > 0 ? 1 : 0,
  ),
  ...more,
})
const steady = (minutes: number, n = 2): readonly number[] => Array.from({ length: minutes }, () => n)
/** Those with completed commands had the last of them this very minute. */
const type = (
  commandType: string,
  completed: number,
  failures: number,
  lastSuccessAt = completed > 0 ? NOW : null,
) => ({
  domain: 'payments',
  commandType,
  completed,
  failures,
  lastSuccessAt,
})

const sentence = (facts: Partial<StatusFacts>, timeZone = 'UTC'): string =>
  statusOf({ ...quiet, ...facts }, timeZone).sentence

test('O8: all is well', () => {
  expect(statusOf({ ...quiet, types: [type('Charge', 500, 0)] }, 'UTC')).toEqual({
    at: NOW,
    sentence: 'All is well.',
    problems: [],
  })
})

const noWorker = {
  domain: 'inventory',
  commandType: null,
  pending: 7,
  since: '2026-11-29T13:02:10.000Z',
  oldestSeconds: 1_080,
}

test('O8: parked commands of long ago are no alarm, but are said', () => {
  expect(sentence({ parked: 62 })).toBe('Nothing fails now; 62 commands in troubleshooting wait for a decision.')
  expect(sentence({ parked: 1 })).toBe('Nothing fails now; 1 command in troubleshooting waits for a decision.')
})

test('O8: no worker', () => {
  expect(sentence({ noWorkers: [noWorker] })).toBe('1 problem: no worker for inventory since 13:02 (7 wait).')
  expect(sentence({ noWorkers: [{ ...noWorker, commandType: 'Count', pending: 1 }] })).toBe(
    '1 problem: no worker for type Count in inventory since 13:02 (1 waits).',
  )
  const queue = { queue: 'inventory__commands', kind: 'commands', domain: 'inventory', depth: 7, unreadSeconds: null }
  const grown = (change: number | null, since = noWorker.since, pending = 7) =>
    sentence({ noWorkers: [{ ...noWorker, since, pending }], queues: [{ ...queue, kind: 'commands', change }] })
  expect(grown(3)).toBe('1 problem: no worker for inventory since 13:02 (7 wait, rises).')
  expect(grown(0)).toContain('(7 wait, steady)')
  expect(grown(-3, noWorker.since, 1_000)).toContain('(1,000 or more wait, falls)')
  expect(grown(null)).toContain('(7 wait)')
  expect(grown(null, '2026-11-29T13:12:00.000Z')).toContain('(7 wait, rises)')
})

test('O8: a dependency is down: nothing of the domain succeeds', () => {
  const facts = {
    causes: [cause('Charge', 'UPSTREAM_503', [1, ...steady(11)]), cause('Refund', 'UPSTREAM_503', steady(9, 1))],
    types: [type('Charge', 0, 23), type('Refund', 0, 9)],
  }
  expect(sentence(facts)).toBe(
    '1 problem: nothing succeeds in payments since 13:10: UPSTREAM_503 (29 in 10 min, rises).',
  )
})

test('O8: a bad deploy: one error code that is new since a time', () => {
  const facts = {
    causes: [cause('Charge', 'TypeError', steady(8), { isNew: true, first: '2026-11-29T13:14:05.000Z' })],
    types: [type('Charge', 900, 16)],
  }
  expect(sentence(facts)).toBe('1 problem: TypeError in Charge of payments is new since 13:14 (16 in 10 min, rises).')
})

test('O8: a poison type: it fails always, while others of its domain succeed', () => {
  const facts = {
    causes: [cause('Charge', 'INVALID_CARD', steady(40))],
    types: [type('Charge', 0, 30), type('Refund', 500, 0)],
  }
  expect(sentence(facts)).toBe(
    '1 problem: every Charge of payments fails since 12:42: INVALID_CARD (20 in 10 min, steady).',
  )
})

test('O8: a queue of replies that nobody reads', () => {
  const queue = {
    queue: 'shop__replies',
    kind: 'replies',
    domain: null,
    depth: 251,
    change: 12,
    unreadSeconds: 3 * 3600,
  } as const
  expect(sentence({ queues: [queue] })).toBe(
    '1 problem: replies in shop__replies unread since 10:21 (251 wait, rises).',
  )
  expect(sentence({ queues: [{ ...queue, kind: 'other', change: null }] })).toBe(
    '1 problem: messages in shop__replies unread since 10:21 (251 wait).',
  )
  expect(sentence({ queues: [{ ...queue, unreadSeconds: 500 }] })).toBe('All is well.')
  expect(sentence({ queues: [{ ...queue, kind: 'commands' }] })).toBe('All is well.')
})

test('O8: several at once, the worst first, and no more than three named', () => {
  const facts = {
    noWorkers: [noWorker],
    causes: [
      cause('Charge', 'UPSTREAM_503', [...steady(10, 1), ...steady(10)]),
      cause('Charge', 'TypeError', steady(3), { isNew: true, first: '2026-11-29T13:19:00.000Z' }),
    ],
    types: [type('Charge', 50, 36)],
    queues: [
      { queue: 'shop__replies', kind: 'replies', domain: null, depth: 1, change: 0, unreadSeconds: 90_000 } as const,
    ],
  }
  expect(sentence(facts)).toBe(
    '4 problems: no worker for inventory since 13:02 (7 wait); TypeError in Charge of payments is new since 13:19 ' +
      '(6 in 10 min, rises); UPSTREAM_503 in Charge of payments since 13:02 (20 in 10 min, rises); 1 more.',
  )
  expect(statusOf({ ...quiet, ...facts }, 'UTC').problems.map(({ kind }) => kind)).toEqual([
    'noWorker',
    'newError',
    'failing',
    'unreadQueue',
  ])
})

test('O8: what fails now and then and is retried is no problem; what falls is said to fall', () => {
  expect(sentence({ causes: [cause('Charge', 'UPSTREAM_503', steady(30))], types: [type('Charge', 970, 30)] })).toBe(
    'All is well.',
  )
  expect(
    sentence({
      causes: [cause('Charge', 'UPSTREAM_503', [...steady(20, 9), ...steady(10, 1)])],
      types: [type('Charge', 20, 55)],
    }),
  ).toBe('1 problem: UPSTREAM_503 in Charge of payments since 12:52 (10 in 10 min, falls).')
})

test('O8: what began before the last hour is dated by the day, and times are those of the reader', () => {
  const quarters = Array.from({ length: 96 }, (_, i) => (i >= 40 ? 5 : 0))
  const facts = {
    causes: [cause('Charge', 'UPSTREAM_503', steady(60), { quarters })],
    types: [type('Charge', 0, 30)],
  }
  expect(sentence(facts)).toContain('since Nov 28, 23:30')
  expect(sentence(facts, 'Europe/Berlin')).toContain('since 00:30')
})

test('O8: figures that nobody counts, or that are behind, are said', () => {
  expect(sentence({ behindSeconds: null })).toBe('1 problem: no process counts figures, so failures are not seen here.')
  expect(sentence({ behindSeconds: 30 * 60 })).toBe(
    '1 problem: figures end at 12:51, so later failures are not seen yet.',
  )
})

test('O8: one tenant has no figures of types: its failures are shown as far as they are known', () => {
  expect(sentence({ causes: [cause('Charge', 'DECLINED', steady(5))], types: null, parked: 10 })).toBe(
    '1 problem: DECLINED in Charge of payments since 13:17 (10 in 10 min, rises).',
  )
})

test('O8: a wave that paused for a quarter of an hour begins anew', () => {
  const perMinute = [...steady(10), ...Array.from({ length: 15 }, () => 0), ...steady(5)]
  const { problems } = statusOf(
    { ...quiet, causes: [cause('Charge', 'X', perMinute)], types: [type('Charge', 0, 10)] },
    'UTC',
  )
  expect(problems[0]?.since).toBe(new Date(Math.floor(Date.parse(NOW) / MINUTE) * MINUTE - 4 * MINUTE).toISOString())
})

/** Whether it was quiet for so many minutes after ten failures, one a minute. */
const after = (minutes: number, lastSuccessAt: string | null) =>
  sentence({
    causes: [
      cause('Charge', 'UPSTREAM_503', [...steady(10, 1), ...steady(minutes, 0)], {
        last: new Date(Date.parse(NOW) - minutes * MINUTE).toISOString(),
      }),
    ],
    types: [type('Charge', 1, 10, lastSuccessAt)],
  })

test('O8: failures are over once their type succeeds and none came for a while; without a success they are not', () => {
  expect(after(2, NOW)).toBe('1 problem: UPSTREAM_503 in Charge of payments since 13:10 (8 in 10 min, rises).')
  expect(after(3, NOW)).toBe('All is well.')
  expect(after(3, null)).toBe(
    '1 problem: nothing succeeds in Charge of payments since 13:09: UPSTREAM_503 (7 in 10 min, rises).',
  )
})

test('O8: that nothing succeeds is said as soon as it is so, since the last success', () => {
  const failing = (lastSuccessAt: string) =>
    sentence({
      causes: [cause('Charge', 'UPSTREAM_503', steady(30))],
      types: [type('Charge', 900, 30, lastSuccessAt), type('Refund', 0, 0)],
    })
  expect(failing('2026-11-29T13:18:10.000Z')).toBe(
    '1 problem: nothing succeeds in Charge of payments since 13:18: UPSTREAM_503 (20 in 10 min, steady).',
  )
  // of one minute there may be more failures
  expect(failing('2026-11-29T13:20:10.000Z')).toBe('All is well.')
})

test('O8: what fails always and was never seen before is both; several types that fail are named, or counted', () => {
  const isNew = { isNew: true, first: '2026-11-29T13:14:05.000Z' }
  const failing = (...names: readonly string[]) =>
    sentence({
      causes: names.map(name => cause(name, 'TypeError', steady(8), isNew)),
      types: [...names.map(name => type(name, 0, 16)), type('Other', 500, 0)],
    })
  expect(failing('Charge')).toBe(
    '1 problem: every Charge of payments fails since 13:14: TypeError, which is new (16 in 10 min, rises).',
  )
  expect(failing('Refund', 'Charge')).toContain('every Charge and Refund of payments fails since 13:14: TypeError')
  expect(failing('A', 'B', 'C')).toContain('every command of 3 types of payments fails since 13:14: TypeError')
})
