import { createRequire } from 'node:module'
import { type } from 'arktype'
import * as fc from 'fast-check'
import { isLeft, type Left } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type PayloadSchema, parsePayload } from '../../../src/application/payloads/payload-schema.ts'
import type { StandardAnswer, StandardSchema } from '../../../src/application/payloads/standard-schema.ts'

const faults = async (schema: PayloadSchema<unknown>, data: unknown, root?: string): Promise<readonly string[]> => {
  const parsed = await parsePayload(schema, data, root)
  expect(isLeft(parsed)).toBe(true)
  return (parsed as Left<readonly string[]>).left
}

/** A schema that answers with this, whatever it is given. */
const answering = (answer: unknown): StandardSchema => ({
  '~standard': { version: 1, vendor: 'test', validate: () => answer as StandardAnswer<unknown> },
})

const SECRET = 'SECRET-4111'
const unfit = { card: { number: SECRET, pin: 7 }, amount: 0, items: [{ sku: 'x' }] }
const byLibrary: Readonly<Record<string, PayloadSchema<unknown>>> = {
  zod: z.object({
    card: z.object({ number: z.string().regex(/^\d+$/), pin: z.string() }),
    amount: z.number().positive(),
    items: z.array(z.object({ sku: z.string().min(3) })),
  }),
  valibot: v.object({
    card: v.object({ number: v.pipe(v.string(), v.regex(/^\d+$/)), pin: v.string() }),
    amount: v.pipe(v.number(), v.minValue(1)),
    items: v.array(v.object({ sku: v.pipe(v.string(), v.minLength(3)) })),
  }),
  arktype: type({
    card: { number: /^\d+$/, pin: 'string' },
    amount: 'number > 0',
    items: type({ sku: 'string >= 3' }).array(),
  }),
}

test('K2: the faults of a codec are the same if it is of another copy of io-ts', async () => {
  const require = createRequire(import.meta.url)
  delete require.cache[require.resolve('io-ts')]
  const other: typeof t = require('io-ts')
  expect(other.union).not.toBe(t.union)
  const codec = (of: typeof t) =>
    of.exact(of.type({ card: of.union([of.type({ number: of.string }), of.type({ iban: of.string })]) }))
  const ours = await faults(codec(t), { card: { number: 1 } })
  expect(ours).toContain('card.number: expected string')
  expect(await faults(codec(other), { card: { number: 1 } })).toEqual(ours)
})

describe('K2: what a schema finds wrong', () => {
  test.each([
    [
      'zod',
      [
        'data.card.number: Invalid string: must match pattern /^\\d+$/',
        'data.card.pin: Invalid input: expected string, received number',
        'data.amount: Too small: expected number to be >0',
        'data.items.0.sku: Too small: expected string to have >=3 characters',
      ],
    ],
    [
      'valibot',
      [
        'data.card.number: Invalid format: Expected /^\\d+$/',
        'data.card.pin: Invalid type: Expected string',
        'data.amount: Invalid value: Expected >=1',
        'data.items.0.sku: Invalid length: Expected >=3',
      ],
    ],
    [
      'arktype',
      [
        'data.amount: must be positive',
        'data.card.number: must be matched by ^\\d+$',
        'data.card.pin: must be a string',
        'data.items.0.sku: must be at least length 3',
      ],
    ],
  ])('K2: %s: each fault has its path, and none its value', async (library, sentences) => {
    const schema = byLibrary[library] as PayloadSchema<unknown>
    expect(await faults(schema, unfit, 'data')).toEqual(sentences)
    for (const given of [SECRET, { card: SECRET, amount: SECRET, items: SECRET }, [SECRET], 4_111_222]) {
      expect(JSON.stringify(await faults(schema, given))).not.toMatch(/SECRET|4111/)
    }
  })

  test('K2: a message with a value in it is not used', async () => {
    const checks = z.object({
      pin: z.string().refine(() => false, { error: ({ input }) => `${input} is a bad pin` }),
      code: z.number().refine(() => false, { error: ({ input }) => `not ${input}, please` }),
      holder: z.string(),
    })
    const whole = checks.refine(() => false, { path: ['code'], error: 'Ada Lovelace has no card' })
    expect(await faults(whole, { pin: '7', code: 123, holder: 'Ada Lovelace' })).toEqual([
      'pin: is not valid',
      'code: is not valid',
    ])
    const expected = { message: `${SECRET} is wrong`, expected: 'a number of a card', path: ['number'] }
    expect(await faults(answering({ issues: [expected] }), { number: SECRET })).toEqual([
      'number: expected a number of a card',
    ])
    expect(await faults(answering({ issues: [{ ...expected, expected: SECRET }] }), { number: SECRET })).toEqual([
      'number: is not valid',
    ])
  })

  test('K2: words of a message that only look like values stay', async () => {
    const data = { kind: 'number', amount: 0, quantity: ' : ', email: 'rest', size: 10 }
    const issues = [
      { message: 'expected number to be >0 and <10', path: ['amount'] },
      { message: 'wrong : interest is not allowed', path: ['quantity'] },
    ]
    expect(await faults(answering({ issues }), data)).toEqual([
      'amount: expected number to be >0 and <10',
      'quantity: wrong : interest is not allowed',
    ])
  })

  test('K2: no text of a payload is in a fault that names its member only by its value', async () => {
    const schema = v.object({ a: v.number(), b: v.array(v.number()) })
    const texts = fc.string({ minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(texts, texts, async (a, b) => {
        expect(await faults(schema, { a, b: [b] })).toEqual([
          'a: Invalid type: Expected number',
          'b.0: Invalid type: Expected number',
        ])
      }),
    )
  })

  test('K2: 20 faults at the most, each one once, and paths of keys and objects', async () => {
    const many = await faults(z.array(z.number()), Array(50_000).fill('x'))
    expect(many).toHaveLength(20)
    expect(many[19]).toBe('19: Invalid input: expected number, received string')
    const issue = { message: 'is wrong', path: [{ key: 'card' }, Symbol('at'), 0] }
    expect(await faults(answering({ issues: [issue, issue] }), {}, 'data')).toEqual([
      'data.card.Symbol(at).0: is wrong',
    ])
  })

  test('K2: issues without a message, a path or a list are faults, too', async () => {
    const issues = [{}, { message: '' }, { message: 'x'.repeat(10_000), path: ['a'] }, { message: 7, path: 'a' }]
    expect(await faults(answering({ issues }), {})).toEqual(['the value: is not valid', 'a: is not valid'])
    for (const odd of ['no list', {}, true]) {
      expect(await faults(answering({ issues: odd }), {}, 'data')).toEqual(['data: is not valid'])
    }
    expect(await faults(answering({ issues: [] }), {})).toEqual(['the value: is not valid'])
  })

  test('K2: an answer that is neither a value nor issues is an error of the schema, at once and in a promise', async () => {
    for (const answer of [null, undefined, 1, {}, { issues: null }]) {
      expect(() => parsePayload(answering(answer), {})).toThrow('neither with a value nor with issues')
      await expect(parsePayload(answering(Promise.resolve(answer)), {})).rejects.toThrow('neither with a value')
    }
    expect(parsePayload(answering({ value: undefined }), {})).toMatchObject({ _tag: 'Right' })
  })

  test('K2: io-ts is read as ever, with the same form of sentence', async () => {
    expect(await faults(t.type({ amount: t.number }), { amount: SECRET }, 'data')).toEqual([
      'data.amount: expected number',
    ])
    expect(parsePayload(t.type({ amount: t.number }), { amount: 1 })).toMatchObject({ right: { amount: 1 } })
  })
})
