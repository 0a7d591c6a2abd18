import fc from 'fast-check'
import { isRight } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { fold } from '../../../src/domain/decider.ts'
import type { ScheduleEvent } from '../../../src/domain/flow/schedule/events.ts'
import { parseScheduleName, parseScheduleStream, scheduleStream } from '../../../src/domain/flow/schedule/names.ts'
import { type ScheduleIntent, schedule } from '../../../src/domain/flow/schedule/schedule.ts'
import { scenarios } from '../../support/lives/decider.ts'

const given = scenarios(schedule)
const at = '2026-11-22T10:00:00.000Z'
const by = { at, actor: 'jane' }
const later = { at: '2026-11-22T11:00:00.000Z', actor: 'joe' }
const settings = {
  domain: 'reports',
  commandType: 'Nightly',
  data: { kind: 'sales' },
  replyTo: null,
  priority: 'normal',
  key: null,
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  everySeconds: null,
  missed: 'skip',
  maxMissed: 100,
  overlap: 'allow',
} as const
const set = { ...by, ...settings, type: 'Set', tenantId: 'acme' } as const
const created = {
  ...by,
  ...settings,
  type: 'ScheduleCreated',
  tenantId: 'acme',
  everyFrom: at,
  incarnation: 1,
} as const
const paused = { ...by, type: 'SchedulePaused', reason: 'month end' } as const
const deleted = { ...by, type: 'ScheduleDeleted' } as const

test('F10: a schedule is created once; the same settings again change nothing', () => {
  given([]).when(set).then([created]).again()
})
test('F10: other settings change it, and keep its tenant', () => {
  given([created])
    .when({ ...set, ...later, cron: '0 3 * * *', tenantId: null })
    .then([{ ...later, ...settings, type: 'ScheduleChanged', cron: '0 3 * * *', everyFrom: at }])
    .again()
})
test('F10: from a change on, only later times count', () => {
  const changed = { ...later, ...settings, type: 'ScheduleChanged', data: 1, everyFrom: at } as const
  expect(fold(schedule, [created, changed])).toMatchObject({
    countsAfter: later.at,
    createdBy: 'jane',
    setBy: 'joe',
    data: 1,
  })
})
test('F10: an interval is counted from where it began, until it is another', () => {
  const every = { ...settings, cron: null, timeZone: 'UTC', everySeconds: 60 } as const
  const began = { ...created, ...every }
  given([began])
    .when({ ...set, ...every, ...later, data: 2 })
    .then([{ ...later, ...every, type: 'ScheduleChanged', data: 2, everyFrom: at }])
  given([began])
    .when({ ...set, ...every, ...later, everySeconds: 90 })
    .then([{ ...later, ...every, type: 'ScheduleChanged', everySeconds: 90, everyFrom: later.at }])
})
test('F10: a pause has a reason; the same pause again changes nothing', () => {
  given([created])
    .when({ ...by, type: 'Pause', reason: 'month end' })
    .then([paused])
    .again()
  given([created, paused])
    .when({ ...later, type: 'Pause', reason: 'audit' })
    .then([{ ...later, type: 'SchedulePaused', reason: 'audit' }])
    .again()
})
test('F10: after a pause, only later times count', () => {
  const resumed = { ...later, type: 'ScheduleResumed' } as const
  given([created, paused])
    .when({ ...later, type: 'Resume' })
    .then([resumed])
    .again()
  expect(fold(schedule, [created, paused, resumed])).toMatchObject({
    status: 'ACTIVE',
    countsAfter: later.at,
    pauseReason: null,
  })
})
test('F10: a change does not end a pause', () => {
  const changed = { ...later, ...settings, type: 'ScheduleChanged', data: 1, everyFrom: at } as const
  expect(fold(schedule, [created, paused, changed])).toMatchObject({ status: 'PAUSED', pauseReason: 'month end' })
})
test('F10: a deleted schedule is unknown, and its name may be used again', () => {
  given([created])
    .when({ ...by, type: 'Delete' })
    .then([deleted])
    .again()
  for (const intent of [{ type: 'Pause', reason: 'no' }, { type: 'Resume' }] as const) {
    given([created, deleted])
      .when({ ...by, ...intent })
      .then({ type: 'NotFound' })
  }
  given([created, paused, deleted])
    .when({ ...set, ...later })
    .then([{ ...created, ...later, everyFrom: later.at, incarnation: 2 }])
    .again()
  expect(fold(schedule, [created, paused, deleted, { ...created, incarnation: 2 }])).toMatchObject({ status: 'ACTIVE' })
})
test('F10: an unknown schedule cannot be changed', () => {
  for (const intent of [{ type: 'Pause', reason: 'no' }, { type: 'Resume' }, { type: 'Delete' }] as const) {
    given([])
      .when({ ...by, ...intent })
      .then({ type: 'NotFound' })
  }
})

test('F10: over any history an accepted intent is done: the same again causes no event', () => {
  const intent: fc.Arbitrary<ScheduleIntent> = fc.oneof(
    fc.record({ data: fc.integer({ min: 0, max: 2 }) }).map(({ data }) => ({ ...set, data })),
    fc.constantFrom('a', 'b').map(reason => ({ ...by, type: 'Pause' as const, reason })),
    fc.constantFrom('Resume' as const, 'Delete' as const).map(type => ({ ...by, type })),
  )
  fc.assert(
    fc.property(fc.array(intent, { maxLength: 12 }), intents => {
      let history: readonly ScheduleEvent[] = []
      for (const one of intents) {
        const decided = schedule.decide(one, fold(schedule, history))
        if (!isRight(decided)) continue
        history = [...history, ...decided.right]
        expect(schedule.decide(one, fold(schedule, history))).toMatchObject({ right: [] })
      }
      const incarnations = history.flatMap(event => (event.type === 'ScheduleCreated' ? [event.incarnation] : []))
      expect(incarnations).toEqual(incarnations.map((_, i) => i + 1))
    }),
    { numRuns: 200 },
  )
})

test("F10: a schedule's name is like a domain's, up to 100 characters", () => {
  expect(parseScheduleStream(scheduleStream('a.b-c_d'))).toBe('a.b-c_d')
  expect(parseScheduleStream('pause-a')).toBeNull()
  for (const name of ['nightly', 'sales.nightly-2', 'a'.repeat(100)])
    expect(parseScheduleName(name)).toMatchObject({ right: name })
  for (const name of ['', 'Nightly', '-a', 'a--b', 'a b', 'a/b', '1a']) {
    expect(parseScheduleName(name)).toMatchObject({
      left: expect.stringContaining('is not a valid name of a schedule'),
    })
  }
  expect(parseScheduleName('a'.repeat(101))).toMatchObject({ left: expect.stringContaining('at most 100 characters') })
})
