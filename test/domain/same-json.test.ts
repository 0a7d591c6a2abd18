import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../src/domain/json/json.ts'
import { sameJson } from '../../src/domain/json/same-json.ts'
import { json } from '../support/lives/command-arbitraries.ts'

/** The same value with the names of its objects the other way round. */
const turned = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, item]) => [name, turned(item)]),
  )
}

test('values are the same whatever the order of their names', () => {
  fc.assert(
    fc.property(json, value => {
      expect(sameJson(value, turned(structuredClone(value)))).toBe(true)
    }),
  )
})

test.each<[Json, Json]>([
  [1, 2],
  [1, '1'],
  [0, null],
  [null, {}],
  [{}, null],
  [{}, 'text'],
  [[], {}],
  [{}, []],
  [[1], { 0: 1 }],
  [[1], [1, 2]],
  [[1, 2], [1]],
  [
    [1, 2],
    [2, 1],
  ],
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { b: 1 }],
  [{ a: 1 }, { a: 1, b: 2 }],
  [{ a: null }, {}],
  [{ a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 3 }] } }],
  [JSON.parse('{"toString":1}'), JSON.parse('{"valueOf":1}')],
])('%j and %j are not the same, in either order', (a, b) => {
  expect([sameJson(a, b), sameJson(b, a)]).toEqual([false, false])
})
