import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extraDigits, isExact, MAX_NUMBER_LENGTH, numberFault } from '../../src/domain/json-numbers.ts'

/** JSON with numbers of every size, and texts that look like them. */
const anyJson = fc.jsonValue()
const tricky = fc.constantFrom('9007199254740993', '"', '\\', '\\"', '1e999', '[1e999]', ':', '{"a":1e400}')
const text = fc.array(tricky, { maxLength: 6 }).map(parts => parts.join(''))

const exactOnly = (_: string, value: unknown) => (typeof value === 'number' && !isExact(value) ? 0 : value)

describe('numbers in a JSON text', () => {
  test('R8: a text whose numbers are kept has no fault, whatever its texts and names look like', () => {
    fc.assert(
      fc.property(anyJson, fc.dictionary(text, text), (value, words) => {
        const kept = JSON.parse(JSON.stringify({ value, words }), exactOnly)
        expect(numberFault(JSON.stringify(kept))).toBeNull()
        expect(numberFault(JSON.stringify(kept, null, 2))).toBeNull()
      }),
    )
  })

  test('R8: a number that would be changed is found wherever it is, with its path', () => {
    const literal = fc.constantFrom(
      '9007199254740993',
      '-9007199254740993',
      '1e308',
      '1E+400',
      '1e-400',
      `0.${'3'.repeat(100)}`,
    )
    fc.assert(
      fc.property(literal, fc.array(fc.option(text, { nil: null }), { maxLength: 5 }), text, (found, way, other) => {
        const beside = JSON.stringify(other)
        let json: string = found
        const path: string[] = []
        for (const name of way) {
          json = name === null ? `[${beside}, ${json} ]` : `{"other":${beside}, ${JSON.stringify(name)} : ${json}}`
          path.unshift(name === null ? '[1]' : `.${name}`)
        }
        JSON.parse(json)
        const fault = numberFault(json)
        expect(fault?.message).toMatch(/send it as a text$/)
        const expected = path.join('').replace(/^\./, '')
        if (expected.length <= 80 && way.at(-1) !== '') expect(fault?.path).toBe(expected)
      }),
    )
  })

  test('R8: the limits', () => {
    expect(numberFault('[9007199254740991, -9007199254740991, 0, -0, 0.0, 0e5, 1e15, 0.1, 1e-300]')).toBeNull()
    expect(numberFault('9007199254740992')).toEqual({
      path: '',
      message: expect.stringMatching(/^is 9007199254740992, /),
    })
    expect(numberFault(`0.${'1'.repeat(MAX_NUMBER_LENGTH - 2)}`)).toBeNull()
    expect(numberFault('1'.repeat(1000))?.message).toMatch(/a number of 1000 characters/)
  })

  test('R8: how many more characters PostgreSQL writes for a number', () => {
    for (const [value, written] of [
      [1e-7, '0.0000001'],
      [-1.5e-7, '-0.00000015'],
      [1.25e-10, '0.000000000125'],
      [5, '5'],
      [0.000001, '0.000001'],
    ] as const) {
      expect(extraDigits(value)).toBe(written.length - String(value).length)
    }
  })
})
