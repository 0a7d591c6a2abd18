import fc from 'fast-check'
import { isLeft } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { dueTimes, MISSED_AFTER_MS } from '../../../src/domain/flow/schedule/due.ts'
import { everyTimes, firstTimes, lastTimes, type NextTime } from '../../../src/domain/flow/schedule/times.ts'
import { createCronTimes } from '../../../src/infrastructure/shared/cron-times.ts'

const cronTimes = createCronTimes()
const timesOf = (cron: string, timeZone = 'UTC'): NextTime => {
  const parsed = cronTimes(cron, timeZone)
  if (isLeft(parsed)) throw new Error(parsed.left.fault)
  return parsed.right
}
const faultOf = (cron: string, timeZone = 'UTC'): string => {
  const parsed = cronTimes(cron, timeZone)
  return isLeft(parsed) ? `${parsed.left.field}: ${parsed.left.fault}` : 'no fault'
}
const iso = (times: readonly number[]): readonly string[] => times.map(time => new Date(time).toISOString())
const between = (next: NextTime, from: string, until: string): readonly string[] =>
  iso(firstTimes(next, Date.parse(from) - 1, 10_000, Date.parse(until)))

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** When clocks go forward and back: the instant, in each zone and year. */
const changes = [
  { zone: 'Europe/Berlin', forward: '2026-03-29T01:00:00.000Z', back: '2026-10-25T01:00:00.000Z' },
  { zone: 'Europe/Berlin', forward: '2027-03-28T01:00:00.000Z', back: '2027-10-31T01:00:00.000Z' },
  { zone: 'America/New_York', forward: '2026-03-08T07:00:00.000Z', back: '2026-11-01T06:00:00.000Z' },
  { zone: 'America/New_York', forward: '2027-03-14T07:00:00.000Z', back: '2027-11-07T06:00:00.000Z' },
] as const
/** The hour that clocks pass over, and the hour that they show twice. */
const hours = { 'Europe/Berlin': { missing: 2, twice: 2 }, 'America/New_York': { missing: 2, twice: 1 } } as const

test.each(changes)(
  'F10: $zone, $forward: a time that does not exist comes once, at the first instant after it',
  change => {
    const { zone, forward } = change
    const { missing } = hours[zone]
    const at = Date.parse(forward)
    const day = [new Date(at - 8 * HOUR).toISOString(), new Date(at + 14 * HOUR).toISOString()] as const
    expect(between(timesOf(`30 ${missing} * * *`, zone), ...day)).toEqual([forward])
    // two times of a list that fall on the same instant are one
    expect(between(timesOf(`15,45 ${missing} * * *`, zone), ...day)).toEqual([forward])
    expect(between(timesOf(`0 ${missing},${missing + 1} * * *`, zone), ...day)).toEqual([forward])
    // by the clock's hours: 24 in the day before, 23 in this one
    const hourly = firstTimes(timesOf('30 * * * *', zone), at - 5 * HOUR, 10)
    expect(hourly).toEqual(hourly.map((_, i) => at - 5 * HOUR + 30 * MINUTE + i * HOUR))
  },
)

test.each(changes)(
  'F10: $zone, $back: a time that comes twice is sent once; an hourly one is sent each hour',
  change => {
    const { zone, back } = change
    const { twice } = hours[zone]
    const at = Date.parse(back)
    const day = [new Date(at - 8 * HOUR).toISOString(), new Date(at + 14 * HOUR).toISOString()] as const
    const first = new Date(at - 30 * MINUTE).toISOString()
    expect(between(timesOf(`30 ${twice} * * *`, zone), ...day)).toEqual([first])
    expect(between(timesOf(`15,45 ${twice} * * *`, zone), ...day)).toEqual(iso([at - 45 * MINUTE, at - 15 * MINUTE]))
    // whoever asks between the two equal times is not given the second
    expect(timesOf(`30 ${twice} * * *`, zone)(at + 10 * MINUTE)).toBeGreaterThan(at + 20 * HOUR)
    const halfHourly = firstTimes(timesOf('*/30 * * * *', zone), at - 3 * HOUR - 1, 12)
    expect(halfHourly).toEqual(halfHourly.map((_, i) => at - 3 * HOUR + i * 30 * MINUTE))
  },
)

test.each(['Europe/Berlin', 'America/New_York'])(
  'F10: a daily time in %s comes once on each day of 2026 and 2027',
  zone => {
    const day = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short' })
    for (const cron of ['30 2 * * *', '30 1 * * *', '0 3 * * *']) {
      const all = firstTimes(timesOf(cron, zone), Date.UTC(2026, 0, 1, 12), 729)
      const days = all.map(time => day.format(time))
      expect(new Set(days).size).toBe(729)
      expect(days.at(-1)).toBe('2027-12-31')
    }
  },
)

test('F10: the times of a cron rise, whatever the instant that one asks from', () => {
  const field = (max: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min: 1, max: 9 }).map(step => `*/${step}`),
      fc.integer({ min: 0, max }).map(String),
      fc.tuple(fc.integer({ min: 0, max }), fc.integer({ min: 0, max })).map(two => two.join(',')),
    )
  const change = fc.constantFrom(
    ...changes.flatMap(({ zone, forward, back }) => [
      { zone, at: forward },
      { zone, at: back },
    ]),
  )
  fc.assert(
    fc.property(
      field(59),
      field(23),
      change,
      fc.integer({ min: 0, max: 30 * HOUR }),
      fc.nat(29),
      (m, h, { zone, at }, early, i) => {
        const next = timesOf(`${m} ${h} * * *`, zone)
        const from = Date.parse(at) - early
        const all = firstTimes(next, from, 30)
        expect(all.every((time, k) => time > (all[k - 1] ?? from))).toBe(true)
        const middle = all[i] as number
        for (const ask of [middle - 1, middle, middle + 1]) {
          const expected = all.find(time => time > ask)
          if (expected !== undefined) expect(next(ask)).toBe(expected)
        }
        expect(lastTimes(next, from, middle, 4)).toEqual(all.slice(0, i + 1).slice(-4))
      },
    ),
    { numRuns: 60 },
  )
})

test('F10: the last times of a long span are found from its end, also where they are dense in one place', () => {
  const dense: NextTime = after => {
    const time = Math.floor(after / 1000) * 1000 + 1000
    return time % (7 * 24 * HOUR) < HOUR ? time : Math.ceil(time / (7 * 24 * HOUR)) * 7 * 24 * HOUR
  }
  let asked = 0
  const counted: NextTime = after => {
    asked++
    return dense(after)
  }
  const until = 5 * 7 * 24 * HOUR + 24 * HOUR
  const end = 5 * 7 * 24 * HOUR + HOUR - 1000
  expect(lastTimes(counted, 0, until, 100)).toEqual(Array.from({ length: 100 }, (_, i) => end - (99 - i) * 1000))
  expect(asked).toBeLessThan(6_000)
  expect(lastTimes(dense, until, until, 100)).toEqual([])
})

test('F10: every so many seconds, from the second in which that began', () => {
  const from = Date.parse('2026-11-22T10:00:00.700Z')
  expect(iso(firstTimes(everyTimes(90, from), from, 3))).toEqual([
    '2026-11-22T10:01:30.000Z',
    '2026-11-22T10:03:00.000Z',
    '2026-11-22T10:04:30.000Z',
  ])
  expect(everyTimes(90, from)(0)).toBe(Date.parse('2026-11-22T10:01:30.000Z'))
  expect(everyTimes(1, from)(from)).toBe(Date.parse('2026-11-22T10:00:01.000Z'))
})

const everyMinute = everyTimes(60, 0)
const rules = { missed: 'skip', maxMissed: 100, overlap: 'allow' } as const
const minutes = (...of: readonly number[]) => of.map(minute => minute * MINUTE)

test('F10: a time that comes is sent, also a little late', () => {
  const due = (now: number) => dueTimes(rules, everyMinute, { handledUntil: 5 * MINUTE, now, isOpen: false })
  expect(due(6 * MINUTE - 1)).toBeNull()
  expect(due(6 * MINUTE)).toEqual({ send: minutes(6), passedOver: null })
  expect(due(6 * MINUTE + MISSED_AFTER_MS)).toEqual({ send: minutes(6, 7), passedOver: null })
})
test('F10: after an hour off: none, the last one, or all in their order, and at most the last so many', () => {
  const due = (of: Partial<Parameters<typeof dueTimes>[0]>) =>
    dueTimes({ ...rules, ...of }, everyMinute, { handledUntil: 0, now: HOUR + 500, isOpen: false })
  expect(due({})).toEqual({ send: [], passedOver: HOUR })
  expect(due({ missed: 'once' })).toEqual({ send: [HOUR], passedOver: HOUR - MINUTE })
  expect(due({ missed: 'all' })).toEqual({
    send: minutes(...Array.from({ length: 60 }, (_, i) => i + 1)),
    passedOver: null,
  })
  expect(due({ missed: 'all', maxMissed: 2 })).toEqual({ send: minutes(59, 60), passedOver: 58 * MINUTE })
})
test('F10: overlap: skip passes over a time while the command of the time before has not ended', () => {
  const due = (isOpen: boolean, now: number) =>
    dueTimes({ ...rules, overlap: 'skip' }, everyMinute, { handledUntil: 0, now, isOpen })
  expect(due(false, MINUTE)).toEqual({ send: minutes(1), passedOver: null })
  expect(due(true, MINUTE)).toEqual({ send: [], passedOver: MINUTE })
  expect(due(false, 2 * MINUTE)).toEqual({ send: minutes(1), passedOver: 2 * MINUTE })
})

test('F10: a wrong cron is refused with its place, and one that never comes', () => {
  expect(faultOf('61 * * * *')).toMatch(/^cron: '61' in field 1 \(minute\) is not valid/)
  expect(faultOf('* * * * FOO')).toMatch(/^cron: 'FOO' in field 5 \(day of the week\) is not valid/)
  expect(faultOf('99 * * * * *')).toMatch(/^cron: '99' in field 1 \(second\) is not valid/)
  expect(faultOf('* * 32 * *')).toMatch(/^cron: '32' in field 3 \(day of the month\) is not valid/)
  expect(faultOf('1:30 2 * * *')).toMatch(/^cron: '1:30' in field 1 \(minute\) is not valid/)
  for (const [cron, count] of [
    ['', 0],
    ['* * * *', 4],
    ['@daily', 1],
    ['* * * * * * *', 7],
  ] as const)
    expect(faultOf(cron)).toMatch(new RegExp(`^cron: must have 5 fields .*, not ${count}$`))
  for (const cron of ['0 0 31 2 *', '0 0 30 2 *', '0 0 31 4,6 *'])
    expect(faultOf(cron)).toBe(`cron: '${cron}' never comes: there is no such date; check its day and its month`)
  expect(faultOf('0 0 29 2 *')).toBe('no fault')
})
test('F10: an unknown time zone is refused', () => {
  for (const zone of ['Mars/Olympus', '+01:00', 'Europe/', 'Europe Berlin'])
    expect(faultOf('0 0 * * *', zone)).toMatch(/^timeZone: '.*' is not a known time zone: use an IANA name/)
  for (const zone of ['UTC', 'Europe/Berlin', 'Etc/GMT+5', 'America/Argentina/Buenos_Aires'])
    expect(faultOf('0 0 * * *', zone)).toBe('no fault')
})
