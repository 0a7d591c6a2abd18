import fc from 'fast-check'
import { expect, test } from 'vitest'
import { presentInstant } from '../../src/application/ports/clock.ts'

const instantAt = (ms: number): string => presentInstant({ now: () => new Date(ms) })

test('the present instant is the one that Date writes, whatever was asked for before', () => {
  const far = fc.date({ noInvalidDate: true }).map(date => date.getTime())
  const time = fc.oneof(far, fc.integer({ min: -2, max: 2 }))
  fc.assert(
    fc.property(fc.array(time), asked => {
      for (const ms of asked) expect(instantAt(ms)).toBe(new Date(ms).toISOString())
    }),
  )
})

test('a clock without a time is refused, and leaves the latest instant as it was', () => {
  const instant = instantAt(0)
  expect(() => instantAt(Number.NaN)).toThrow(RangeError)
  expect(instantAt(0)).toBe(instant)
})
