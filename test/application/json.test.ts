import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { MAX_JSON_BYTES, MAX_JSON_DEPTH, parseJson, storableText } from '../../src/application/shared/json.ts'
import { json } from '../support/lives/command-arbitraries.ts'

const nested = (depth: number, leaf: unknown): unknown =>
  Array.from({ length: depth }).reduce<unknown>((inner, _, i) => (i % 2 === 0 ? [inner] : { a: inner }), leaf)

/** Puts a value into an otherwise valid JSON value, at any place. */
const somewhere = (leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(leaf, fc.array(fc.tuple(fc.boolean(), fc.string(), json), { maxLength: 6 }))
    .map(([value, path]) =>
      path.reduce<unknown>(
        (inner, [list, name, other]) => (list ? [other, inner] : { a: other, [`x${name}`]: inner }),
        value,
      ),
    )

const refusal = (value: unknown): string => {
  const parsed = parseJson(value)
  return isLeft(parsed) ? parsed.left : 'accepted'
}

describe('a JSON value', () => {
  test('comes back equal, as a copy', () => {
    fc.assert(
      fc.property(json, value => {
        const parsed = parseJson(value)
        expect(parsed).toEqual(right(value))
        if (typeof value === 'object' && value !== null && !isLeft(parsed)) expect(parsed.right).not.toBe(value)
      }),
    )
  })

  test('does not change when it is parsed twice', () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true, withNullPrototype: true, withSparseArray: true }), value => {
        const once = parseJson(value)
        if (!isLeft(once)) expect(parseJson(once.right)).toEqual(once)
      }),
    )
  })

  test('may be any well-formed text, with emoji, quotes and control characters', () => {
    const text = '\u0001\u001f"\\/\u2028 ä 🎈 \uffff'
    expect(parseJson({ [text]: text })).toEqual(right({ [text]: text }))
  })

  test('may have a member called __proto__, which stays a member', () => {
    const parsed = parseJson(JSON.parse('{"__proto__":{"x":1}}'))
    expect(isLeft(parsed) ? '' : JSON.stringify(parsed.right)).toBe('{"__proto__":{"x":1}}')
  })

  test('leaves undefined members out and makes undefined items null, as JSON.stringify does', () => {
    expect(parseJson({ a: undefined, b: [undefined] })).toEqual(right({ b: [null] }))
  })

  test('converts dates and objects with toJSON as JSON.stringify does', () => {
    expect(parseJson({ on: new Date(0), price: { toJSON: () => ({ cents: 5 }) } })).toEqual(
      right({ on: '1970-01-01T00:00:00.000Z', price: { cents: 5 } }),
    )
  })

  test('R8: is either what JSON.stringify gives, or refused', () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true, withNullPrototype: true }), value => {
        const once = parseJson(value)
        if (!isLeft(once)) expect(once.right).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('may come from another realm', () => {
    expect(parseJson(runInNewContext('({ a: [{ b: 1 }] })'))).toEqual(right({ a: [{ b: 1 }] }))
  })

  test('may hold the same object twice, side by side', () => {
    const shared = { a: 1 }
    expect(parseJson([shared, { shared }])).toEqual(right([{ a: 1 }, { shared: { a: 1 } }]))
  })
})

describe('a value that JSON cannot hold or PostgreSQL cannot store', () => {
  const never = (leaf: fc.Arbitrary<unknown>, why: RegExp): void => {
    fc.assert(
      fc.property(somewhere(leaf), value => {
        expect(refusal(value)).toMatch(why)
      }),
    )
  }

  test('a NUL character is refused wherever it is', () => {
    never(
      fc.tuple(fc.string(), fc.string()).map(texts => texts.join('\u0000')),
      /NUL character, which PostgreSQL cannot store/,
    )
    expect(refusal({ 'a\u0000': 1 })).toMatch(/^the name .* holds a NUL character/)
  })

  test('half a surrogate pair is refused wherever it is', () => {
    never(fc.constantFrom('\ud83c', 'a\udf88b', '\udf88\ud83c'), /half a surrogate pair/)
    expect(refusal({ '\ud83c': 1 })).toMatch(/^the name .* half a surrogate pair/)
  })

  test('numbers that JSON cannot write are refused', () => {
    never(fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), /which JSON cannot hold/)
  })

  test('functions, symbols and bigints are refused', () => {
    never(
      fc.constantFrom(() => 1, Symbol('s'), 10n),
      /is a (function|symbol|bigint), which JSON cannot hold/,
    )
  })

  test('a boxed bigint is refused like a plain one', () => {
    expect(refusal({ a: Object(10n) })).toMatch(/'a' .* JSON cannot hold/)
  })

  test('the result of toJSON is checked like other values', () => {
    expect(refusal({ a: { toJSON: () => 'x\u0000' } })).toMatch(/'a' holds a NUL character/)
    expect(refusal({ toJSON: () => undefined })).toMatch(/undefined/)
  })

  test('a toJSON that throws is refused, and its error is not rethrown', () => {
    const failing = {
      toJSON: () => {
        throw new Error('no')
      },
    }
    expect(refusal({ a: failing })).toMatch(/'a'/)
  })

  test('an object that refers to itself is refused, directly or through others', () => {
    const self: Record<string, unknown> = {}
    self.me = self
    expect(refusal(self)).toBe("'me' refers back to itself, which JSON cannot hold")
    const list: unknown[] = [{ deep: [] }]
    ;(list[0] as { deep: unknown[] }).deep.push(list)
    expect(refusal(list)).toBe("'[0].deep[0]' refers back to itself, which JSON cannot hold")
    const endless = { toJSON: () => endless }
    expect(refusal(endless)).toMatch(/nested deeper than 100 levels/)
  })

  test('undefined is refused, with a hint', () => {
    expect(parseJson(undefined)).toEqual(left('the value is undefined; use null for "nothing"'))
  })

  test('maps and sets are refused, because JSON would lose their contents', () => {
    for (const lossy of [new Map([['a', 1]]), new Set([1])]) expect(refusal({ a: lossy })).toMatch(/'a'/)
  })

  test('the message names the path', () => {
    expect(refusal({ lines: [{ price: 1 }, { price: Number.NaN }] })).toBe(
      "'lines[1].price' is NaN, which JSON cannot hold",
    )
    expect(refusal(Number.NaN)).toBe('the value is NaN, which JSON cannot hold')
  })
})

describe('the limits', () => {
  test('100 levels are accepted and 101 are not', () => {
    expect(parseJson(nested(MAX_JSON_DEPTH, 1))._tag).toBe('Right')
    expect(refusal(nested(MAX_JSON_DEPTH + 1, 1))).toMatch(/nested deeper than 100 levels$/)
  })

  test('a hundred thousand levels are refused without a stack overflow', () => {
    expect(refusal(nested(100_000, 1))).toMatch(/nested deeper than 100 levels$/)
  })

  test('1 MiB of text is accepted and one byte more is not, however many bytes a character has', () => {
    const fits = 'a'.repeat(MAX_JSON_BYTES - 2)
    expect(parseJson(fits)).toEqual(right(fits))
    expect(refusal(`${fits}a`)).toBe('the value has 1048577 bytes as JSON; at most 1048576 (1 MiB) are allowed')
    expect(parseJson('ä'.repeat((MAX_JSON_BYTES - 2) / 2))._tag).toBe('Right')
    expect(refusal('ä'.repeat(MAX_JSON_BYTES / 2))).toMatch(/has 1048578 bytes/)
  })

  test('the message stays short when a name is long', () => {
    expect(refusal({ ['n'.repeat(100_000)]: Number.NaN }).length).toBeLessThan(300)
  })
})

describe('text to be stored', () => {
  const awkward = fc.constantFrom('a', 'ä', '🎈', '\u0001', '\uffff', '\u0000', '\ud83c', '\udf88')

  test('is always valid for PostgreSQL, and unchanged if it was valid', () => {
    fc.assert(
      fc.property(fc.string({ unit: awkward, maxLength: 40 }), text => {
        const clean: Either<string, unknown> = parseJson(storableText(text))
        expect(clean._tag).toBe('Right')
        if (text.isWellFormed() && !text.includes('\u0000')) expect(storableText(text)).toBe(text)
      }),
    )
  })

  test('is cut when it is very long, and says how long it was', () => {
    expect(storableText('abcdef', 3)).toBe('abc... (6 characters)')
    expect(storableText('abc', 3)).toBe('abc')
  })

  test('is not cut between two halves of a surrogate pair', () => {
    expect(storableText('ab🎈cd', 3).isWellFormed()).toBe(true)
  })
})
