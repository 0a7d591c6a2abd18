import fc from 'fast-check'
import { isLeft } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { extraDigits, literalFault, numberFault } from '../../src/domain/json/json-numbers.ts'
import { type JsonFault, parseJsonText } from '../../src/domain/json/json-text.ts'
import { json } from '../support/lives/command-arbitraries.ts'

/** Texts and names that look like numbers and like the structure around them. */
const tricky = fc.constantFrom('9007199254740993', '"', '\\', '\\"', '1e999', '[1e999]', ':', '{"a":1e400}', ',')
const text = fc.array(tricky, { maxLength: 6 }).map(parts => parts.join(''))

const faultOf = (given: string): JsonFault | null => {
  const parsed = parseJsonText(given)
  return isLeft(parsed) ? parsed.left : null
}

describe('JSON text', () => {
  test('R8: is parsed when its numbers are kept exactly, whatever its texts and names look like', () => {
    fc.assert(
      fc.property(json, fc.dictionary(text, text), (value, words) => {
        const given = { value, words }
        expect(parseJsonText(JSON.stringify(given))).toMatchObject({ right: JSON.parse(JSON.stringify(given)) })
        expect(faultOf(JSON.stringify(given, null, 2))).toBeNull()
      }),
    )
  })

  test('R8: is parsed with any number as JavaScript writes it, also when the last digit is a tie', () => {
    expect(faultOf('[-1136419065709504.2]')).toBeNull()
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -9e15, max: 9e15 }), value => {
        expect(faultOf(JSON.stringify([value])) === null).toBe(numberFault(value) === null)
      }),
      { numRuns: 2_000 },
    )
  })

  test('R8: is refused with the path of a number that would be changed, wherever it is', () => {
    const literal = fc.constantFrom(
      '9007199254740993',
      '-9007199254740993',
      '9007199254740992.0',
      '9.007199254740993e15',
      '1e308',
      '1E+400',
      '1e-400',
      '5e-324',
      '999999999999999.99',
      `0.${'3'.repeat(100)}`,
      `${'1'.repeat(500)}`,
    )
    fc.assert(
      fc.property(literal, fc.array(fc.option(text, { nil: null }), { maxLength: 5 }), text, (found, way, other) => {
        const beside = JSON.stringify(other)
        let given: string = found
        const path: string[] = []
        for (const name of way) {
          given = name === null ? `[${beside}, ${given} ]` : `{"other":${beside}, ${JSON.stringify(name)} : ${given}}`
          path.unshift(name === null ? '[1]' : `.${name}`)
        }
        const fault = faultOf(given)
        expect(fault?.message).toMatch(/send it as a text$/)
        const expected = path.join('').replace(/^\./, '')
        if (expected.length <= 80 && way.at(-1) !== '') expect(fault?.path).toBe(expected)
      }),
    )
  })

  test('R8: every number that JavaScript writes is accepted as text and as value, or refused as both', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
        for (const literal of [JSON.stringify(value), value.toPrecision(17), value.toExponential()]) {
          expect(literalFault(literal) === null).toBe(numberFault(value) === null)
        }
      }),
    )
  })

  test.each([
    '9007199254740991',
    '-9007199254740991',
    '0',
    '-0',
    '0.0',
    '0e5',
    '1e15',
    '0.1',
    '0.10000000000000001',
    '1e-80',
  ])('R8: keeps %s', literal => {
    expect(faultOf(`[${literal}]`)).toBeNull()
  })

  test.each([
    ['9007199254740992', /is past 9007199254740991/],
    ['1e400', /is past 9007199254740991/],
    ['1e-81', /is nearer to zero than 1e-80/],
    ['0.12345678901234567890', /more digits than a number can keep/],
    [`0.5${'0'.repeat(99)}`, /more than 100 characters/],
  ])('R8: refuses %s', (literal, sentence) => {
    expect(faultOf(`[${literal}]`)).toEqual({ path: '[0]', message: expect.stringMatching(sentence) })
  })

  test('R8: is refused with the path of a negative number that would be changed, also after other lists and objects', () => {
    expect(faultOf('{"a":[1,[2,3],{"b":4}],"c":[{},{"d":-12345678901234567890}]}')?.path).toBe('c[1].d')
  })

  test('R8: has a long path cut in the refusal', () => {
    expect(faultOf(`{"${'a'.repeat(80)}":1e400}`)?.path).toBe('a'.repeat(80))
    expect(faultOf(`{"${'a'.repeat(81)}":1e400}`)?.path).toBe(`${'a'.repeat(80)}...`)
  })

  test('R8: a number is refused as a value when it is refused as text, on both sides of zero', () => {
    for (const sign of [1, -1]) {
      for (const kept of [0, 1e-80, 1, Number.MAX_SAFE_INTEGER]) expect(numberFault(sign * kept)).toBeNull()
      for (const rounded of [2 ** 53, 1e300]) expect(numberFault(sign * rounded)).toMatch(/is past 9007199254740991/)
      expect(numberFault(sign * 1e-81)).toMatch(/is nearer to zero than 1e-80/)
      expect(numberFault(sign * Number.POSITIVE_INFINITY)).toMatch(/is -?Infinity, which JSON cannot hold/)
    }
  })

  test('R8: may have a member called __proto__, which stays a member', () => {
    const parsed = parseJsonText('{"__proto__":{"a":1},"constructor":{"prototype":{}}}')
    expect(parsed).toMatchObject({ right: expect.anything() })
    expect(JSON.stringify((parsed as { right: unknown }).right)).toBe(
      '{"__proto__":{"a":1},"constructor":{"prototype":{}}}',
    )
  })

  test('R8: counts the longer form in which PostgreSQL writes small numbers', () => {
    for (const [value, written] of [
      [1e-7, '0.0000001'],
      [-1.5e-7, '-0.00000015'],
      [1.25e-10, '0.000000000125'],
      [5, '5'],
      [-5, '-5'],
      [0, '0'],
      [-0.000001, '-0.000001'],
      [0.000001, '0.000001'],
    ] as const) {
      expect(extraDigits(value)).toBe(written.length - String(value).length)
    }
  })
})
