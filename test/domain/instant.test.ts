import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantAt } from '../../src/domain/instant.ts'

test('the instant of a time is the one that Date writes, whatever was asked for before', () => {
  const time = fc.date({ noInvalidDate: true }).map(date => date.getTime())
  fc.assert(
    fc.property(fc.array(fc.tuple(time, fc.boolean())), asked => {
      for (const [ms, again] of asked) {
        expect(instantAt(ms)).toBe(new Date(ms).toISOString())
        if (again) expect(instantAt(ms)).toBe(new Date(ms).toISOString())
      }
    }),
  )
})

test('a time that is none is refused, and leaves the latest as it was', () => {
  const instant = instantAt(0)
  for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, 9e15]) expect(() => instantAt(ms)).toThrow(RangeError)
  expect(instantAt(0)).toBe(instant)
})
