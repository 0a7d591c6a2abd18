import { describe, expect, test } from 'vitest'
import { messageOf } from '../../src/application/alerts/message.ts'
import { isQuiet } from '../../src/application/alerts/quiet-hours.ts'
import { batchesOf, changesOf } from '../../src/application/alerts/subjects.ts'
import type { Fact, Subject } from '../../src/application/ports/alerting/alert-work.ts'

const NOW = '2026-11-29T12:00:00.000Z'
const HOUR = 3_600_000
const plus = (ms: number): string => new Date(Date.parse(NOW) + ms).toISOString()
const fact = (over: Partial<Fact> = {}): Fact => ({
  kind: 'groups',
  domain: 'payments',
  commandType: 'Charge',
  errorCode: 'CARD_DECLINED',
  count: 1,
  first: NOW,
  last: NOW,
  ...over,
})
const told = (facts: Fact): Subject => ({ facts, lastAt: facts.last, pendingSince: null })

describe('O5: a cause', () => {
  test('is new once, however many more fail', () => {
    const { puts } = changesOf(new Map(), new Map([['a', fact()]]), NOW)
    expect(puts).toEqual([['a', { facts: fact(), lastAt: NOW, pendingSince: NOW }]])
    const later = fact({ count: 9, last: plus(HOUR) })
    expect(changesOf(new Map([['a', told(fact())]]), new Map([['a', later]]), plus(HOUR)).puts).toEqual([
      ['a', { facts: later, lastAt: later.last, pendingSince: null }],
    ])
    expect(changesOf(new Map([['a', told(fact())]]), new Map([['a', fact()]]), NOW)).toEqual({ puts: [], over: [] })
  })

  test('is new again when it was over, or quiet for a day', () => {
    expect(changesOf(new Map([['a', told(fact())]]), new Map(), NOW).over).toEqual(['a'])
    const almost = fact({ last: plus(24 * HOUR - 1) })
    const aDay = fact({ last: plus(24 * HOUR) })
    const pending = (facts: Fact) =>
      changesOf(new Map([['a', told(fact())]]), new Map([['a', facts]]), plus(30 * HOUR)).puts[0]?.[1].pendingSince
    expect([pending(almost), pending(aDay)]).toEqual([null, plus(30 * HOUR)])
  })

  test('is not new again because its newest failure was dealt with, or because the oldest late reply was sent', () => {
    const known = (lastAt: string) => new Map([['a', { ...told(fact()), lastAt }]])
    const then = fact({ last: plus(23 * HOUR) })
    const lower = changesOf(known(then.last), new Map([['a', fact({ count: 1 })]]), plus(24 * HOUR))
    expect(lower.puts.map(([, { lastAt }]) => lastAt)).toEqual([])
    const next = changesOf(known(then.last), new Map([['a', fact({ last: plus(25 * HOUR) })]]), plus(25 * HOUR))
    expect(next.puts.map(([, { pendingSince }]) => pendingSince)).toEqual([null])
    const late = fact({ kind: 'lateReplies', last: plus(48 * HOUR) })
    expect(changesOf(known(NOW), new Map([['a', late]]), plus(50 * HOUR)).puts[0]?.[1].pendingSince).toBe(null)
  })

  test('that waits is told, even if it is over by then', () => {
    const waits = { ...told(fact()), pendingSince: NOW }
    expect(changesOf(new Map([['a', waits]]), new Map(), plus(HOUR))).toEqual({ puts: [], over: [] })
  })
})

describe('O5: what waits', () => {
  const waiting = (n: number, pendingSince = NOW) =>
    new Map(Array.from({ length: n }, (_, i) => [`${i}`, { ...told(fact()), pendingSince }]))
  const free = { digestMinutes: null, isQuiet: false }

  test('is sent one by one, many at once together', () => {
    expect(batchesOf(waiting(2), free, NOW)).toEqual([['0'], ['1']])
    expect(batchesOf(waiting(11), free, NOW)).toHaveLength(1)
  })

  test('is held in quiet hours, and sent together afterwards', () => {
    expect(batchesOf(waiting(2), { ...free, isQuiet: true }, plus(HOUR))).toEqual([])
    expect(batchesOf(waiting(2), free, plus(HOUR))).toEqual([['0', '1']])
  })

  test('is collected in a digest, from the first on', () => {
    const digest = { ...free, digestMinutes: 15 }
    expect(batchesOf(waiting(2), digest, plus(14 * 60_000))).toEqual([])
    expect(batchesOf(waiting(2), digest, plus(15 * 60_000))).toEqual([['0', '1']])
    expect(batchesOf(waiting(2), { ...digest, isQuiet: true }, plus(HOUR))).toEqual([])
  })
})

test.each([
  ['22:00', '07:00', 'UTC', '2026-11-29T21:59:59.000Z', false],
  ['22:00', '07:00', 'UTC', '2026-11-29T22:00:00.000Z', true],
  ['22:00', '07:00', 'UTC', '2026-11-29T06:59:59.000Z', true],
  ['22:00', '07:00', 'UTC', '2026-11-29T07:00:00.000Z', false],
  ['09:00', '17:00', 'Europe/Berlin', '2026-11-29T08:00:00.000Z', true],
  ['09:00', '17:00', 'Europe/Berlin', '2026-07-29T07:00:00.000Z', true],
  ['09:00', '17:00', 'Europe/Berlin', '2026-07-29T15:00:00.000Z', false],
])('O5: quiet from %s to %s in %s: %s %s', (from, to, timeZone, at, expected) => {
  expect(isQuiet({ from, to, timeZone }, at)).toBe(expected)
})

test('O5: the text names causes, counts and links, and nothing in it is markup', () => {
  const options = { id: 'i', alert: 'on-call', at: NOW, publicUrl: 'https://bus.example.com/' }
  const body = JSON.parse(messageOf(options, [fact({ errorCode: '<!channel> & co', count: 3 })]))
  expect(body.text).toBe(
    '*commandbus: on-call*\n3 commands of payments Charge with &lt;!channel&gt; &amp; co, since 2026-11-29 12:00 UTC ' +
      '<https://bus.example.com/troubleshooting?view=list&domain=payments&commandType=Charge&errorCode=%3C!channel%3E%20%26%20co>',
  )
  expect(body).toMatchObject({ id: 'i', total: 1, link: 'https://bus.example.com/troubleshooting' })
  const many = JSON.parse(
    messageOf(
      { ...options, publicUrl: undefined },
      Array.from({ length: 60 }, () => fact()),
    ),
  )
  expect([many.causes.length, many.total, many.text.split('\n').at(-1), many.link]).toEqual([
    50,
    60,
    'and 10 more',
    undefined,
  ])
})
