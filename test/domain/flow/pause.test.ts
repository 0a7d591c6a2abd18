import fc from 'fast-check'
import { isRight } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { fold } from '../../../src/domain/decider.ts'
import type { FlowPaused, PauseEvent } from '../../../src/domain/flow/pause/events.ts'
import { parsePauseStream, pauseStream } from '../../../src/domain/flow/pause/names.ts'
import { isPaused, pause } from '../../../src/domain/flow/pause/pause.ts'
import { scenarios } from '../../support/lives/decider.ts'

const given = scenarios(pause)
const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
const by = { at: at(10), actor: 'ann' }
const scope = { domain: 'mail', commandType: 'Send', tenantId: null }
const facts = { ...by, ...scope, reason: 'the provider is down', until: null }
const paused: FlowPaused = { ...facts, type: 'FlowPaused' }
const resumed: PauseEvent = { at: at(20), actor: 'bob', type: 'FlowResumed' }

test('F4: what is paused is not paused again, and the refusal says by whom', () => {
  given([])
    .when({ ...facts, type: 'Pause' })
    .then([paused])
    .again({ type: 'AlreadyPaused', facts })
})

test('F4: what was resumed can be paused again', () => {
  given([paused, resumed])
    .when({ ...facts, at: at(30), type: 'Pause' })
    .then([{ ...paused, at: at(30) }])
    .again({ type: 'AlreadyPaused', facts: { ...facts, at: at(30) } })
})

test('F4: a pause ends once; the same again changes nothing', () => {
  given([paused])
    .when({ at: at(20), actor: 'bob', type: 'Resume' })
    .then([resumed])
    .again()
  given([])
    .when({ ...by, type: 'Resume' })
    .then({ type: 'NotFound' })
})

test('F4: one that has run out counts as resumed, at its last instant', () => {
  const short = { ...paused, until: at(15) }
  expect(isPaused(fold(pause, [short]), at(14))).toBe(true)
  expect(isPaused(fold(pause, [short]), at(15))).toBe(false)
  given([short])
    .when({ at: at(15), actor: 'bob', type: 'Resume' })
    .then([])
  given([short])
    .when({ ...facts, at: at(15), type: 'Pause' })
    .then([{ ...paused, at: at(15) }])
})

test('F4: in every history, it is paused from a pause to the first resume or end after it', () => {
  const step = fc.record({
    pauses: fc.boolean(),
    minutes: fc.integer({ min: 0, max: 5 }),
    lasts: fc.option(fc.integer({ min: 1, max: 5 })),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), steps => {
      const events: PauseEvent[] = []
      let minute = 0
      let ends: number | null = null
      for (const { pauses, minutes, lasts } of steps) {
        minute += minutes
        const isOn: boolean = ends !== null && ends > minute
        const until = lasts === null ? null : at(minute + lasts)
        const base = { at: at(minute), actor: 'ann' }
        const decided = pause.decide(
          pauses ? { ...facts, ...base, until, type: 'Pause' } : { ...base, type: 'Resume' },
          fold(pause, events),
        )
        if (isRight(decided)) events.push(...decided.right)
        if (pauses) {
          expect(isRight(decided)).toBe(!isOn)
          if (!isOn) ends = lasts === null ? Number.POSITIVE_INFINITY : minute + lasts
        } else if (isOn) ends = null
        expect(isPaused(fold(pause, events), at(minute))).toBe(ends !== null && ends > minute)
      }
    }),
  )
})

test("a pause's stream is named after it", () => {
  expect(parsePauseStream(pauseStream('a-b'))).toBe('a-b')
  expect(parsePauseStream('workflow_run-a-b')).toBeNull()
})
