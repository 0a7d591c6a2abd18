import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  float8Array,
  instantArray,
  int4Array,
  int8Array,
  jsonbArray,
  type TypedArray,
  textArray,
  uuidArray,
} from '../../../src/infrastructure/postgres/connection/typed-arrays.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** The elements as PostgreSQL understood them, as texts. */
const received = async (type: string, array: TypedArray): Promise<readonly (string | null)[]> => {
  const element = type === 'timestamptz' ? `to_char(x at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US')` : 'x::text'
  const { rows } = await database.pool.query(
    `select coalesce(array_agg(${element} order by n), '{}') as texts, coalesce(array_lower($1::${type}[], 1), 1) as first from unnest($1::${type}[]) with ordinality u(x, n)`,
    [array],
  )
  expect(rows[0].first).toBe(1)
  return rows[0].texts
}

interface Kind<Value> {
  readonly type: string
  readonly array: (values: readonly (Value | null)[], of: (value: Value | null) => Value | null) => TypedArray
  /** Values at the edges of the type, with what PostgreSQL prints for them. */
  readonly edges: readonly (readonly [value: Value, text: string])[]
  readonly any: fc.Arbitrary<Value>
  readonly textOf: (value: Value) => string
}

const kind = <Value>(given: Kind<Value>): Kind<unknown> => given as unknown as Kind<unknown>

const itself = <Value>(value: Value): Value => value
const ends = ['-9223372036854775808', '9223372036854775807', '0', '-1'] as const
/** Where one half of eight bytes begins or ends. */
const halves = [2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31) - 1, -(2 ** 32), -(2 ** 32) - 1]
const texts = [
  '',
  ' ',
  'null',
  'NULL',
  '{}',
  '{"a,b"}',
  '"\\"',
  "it's",
  'a\nb\r\t',
  '\u007f\u0080\u07ff\u0800\uffff',
  'é€😀',
  '\u2028',
  'x'.repeat(100_000),
]
const unicode = fc.string({ unit: 'binary' }).map(text => text.replaceAll('\u0000', '').toWellFormed())
const inMicroseconds = (instant: string): string => instant.replace('Z', '000')

const kinds: readonly Kind<unknown>[] = [
  kind({ type: 'text', array: textArray, edges: texts.map(text => [text, text]), any: unicode, textOf: itself }),
  kind({
    type: 'jsonb',
    array: jsonbArray,
    edges: texts.map(text => [JSON.stringify(text), JSON.stringify(text)] as const).concat([['null', 'null']]),
    any: unicode.map(text => JSON.stringify(text)),
    textOf: itself,
  }),
  kind({
    type: 'uuid',
    array: uuidArray,
    edges: [
      ['00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000'],
      ['FFFFFFFF-ffff-ffff-ffff-ffffffffffff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    ],
    any: fc.uuid(),
    textOf: itself,
  }),
  kind<number | string>({
    type: 'int8',
    array: int8Array,
    edges: [
      ...ends.map(end => [end, end] as const),
      ...halves.map(number => [number, String(number)] as const),
      [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ],
    any: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
    textOf: String,
  }),
  kind({
    type: 'int4',
    array: int4Array,
    edges: [-2_147_483_648, 2_147_483_647, 0].map(end => [end, String(end)]),
    any: fc.integer(),
    textOf: String,
  }),
  kind({
    type: 'float8',
    array: float8Array,
    edges: [0, 0.1, -1.5, 5e-324, 123_456_789.125].map(value => [value, String(value)]),
    any: fc.integer().map(n => n / 8),
    textOf: String,
  }),
  kind({
    type: 'timestamptz',
    array: instantArray,
    edges: [
      '1970-01-01T00:00:00.000Z',
      '1969-12-31T23:59:59.999Z',
      '1582-10-15T00:00:00.001Z',
      '1999-12-31T23:59:59.999Z',
      '2000-01-01T00:00:00.000Z',
      '2026-02-28T23:59:59.999Z',
      '9999-12-31T23:59:59.999Z',
    ].map(instant => [instant, inMicroseconds(instant)]),
    any: fc.date({ min: new Date(-6e13), max: new Date(2.5e14), noInvalidDate: true }).map(date => date.toISOString()),
    textOf: inMicroseconds,
  }),
]

describe.each(kinds)('an array of $type', ({ type, array: arrayOf, edges, any, textOf }) => {
  const array = (values: readonly unknown[]): TypedArray => arrayOf(values, itself)

  test('arrives with each value that is at an edge of the type, alone and among nulls', async () => {
    for (const [value, text] of edges) expect(await received(type, array([value]))).toEqual([text])
    const values = edges.map(([value]) => value)
    const printed = edges.map(([, text]) => text)
    expect(await received(type, array(values))).toEqual(printed)
    expect(await received(type, array([null, ...values, null]))).toEqual([null, ...printed, null])
  })

  test('is null if it has no value: that unnests to the same nulls beside other columns', async () => {
    expect(array([])).toBeNull()
    expect(array([null, null])).toBeNull()
    expect(await received(type, null)).toEqual([])
    const { rows } = await database.pool.query(
      `select n, x::text from unnest($1::int[], $2::${type}[]) u(n, x) order by n`,
      [int4Array([1, 2], itself), array([null, null])],
    )
    expect(rows).toEqual([
      { n: 1, x: null },
      { n: 2, x: null },
    ])
  })

  test('arrives with 10,000 elements', async () => {
    const short = edges.filter(([, text]) => text.length < 100)
    const many = Array.from({ length: 10_000 }, (_, i) => (i % 7 === 3 ? null : (short[i % short.length] ?? null)))
    expect(await received(type, array(many.map(edge => edge?.[0] ?? null)))).toEqual(
      many.map(edge => edge?.[1] ?? null),
    )
  })

  test('arrives as it is, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(any), { maxLength: 20 }), async values => {
        const there = await received(type, array(values))
        const expected = values.map(value => (value === null ? null : textOf(value)))
        expect(there).toEqual(array(values) === null ? [] : expected)
      }),
      { numRuns: 40 },
    )
  })
})

test('a member that is missing is null', async () => {
  const items: readonly { readonly n?: number; readonly text?: string }[] = [{ text: 'a' }, { n: 1 }]
  const numbers = int4Array(items, item => item.n)
  const words = textArray(items, item => item.text)
  expect(await received('int', numbers)).toEqual([null, '1'])
  expect(await received('text', words)).toEqual(['a', null])
})

describe('half of a surrogate pair', () => {
  test.each(['\ud83d', 'a\ude00b'])('is refused in JSON, as it is in a document (%j)', async text => {
    const json = JSON.stringify(text)
    const document = database.pool.query('select $1::jsonb', [json])
    await expect(document).rejects.toMatchObject({ code: '22P02' })
    await expect(received('jsonb', jsonbArray([json], itself))).rejects.toMatchObject({ code: '22P02' })
  })

  test('is U+FFFD in a text, as node-postgres sends it', async () => {
    const { rows } = await database.pool.query('select $1 as text', ['a\ud83db'])
    expect(await received('text', textArray(['a\ud83db', 'after'], itself))).toEqual([rows[0].text, 'after'])
    expect(rows[0].text).toBe('a\ufffdb')
  })
})

test('the character NUL is refused in texts and in JSON, as it is in a document', async () => {
  await expect(received('text', textArray(['a\u0000b'], itself))).rejects.toMatchObject({ code: '22021' })
  for (const sent of [jsonbArray([JSON.stringify('\u0000')], itself), [JSON.stringify('\u0000')]]) {
    await expect(database.pool.query('select $1::jsonb[]', [sent])).rejects.toMatchObject({ code: '22P05' })
  }
})

test('a value that its type cannot hold is refused before anything is sent', () => {
  expect(() => instantArray(['tomorrow'], itself)).toThrow(RangeError)
  expect(() => int4Array([2_147_483_648], itself)).toThrow(RangeError)
  expect(() => int8Array(['9223372036854775808'], itself)).toThrow(RangeError)
  expect(() => int8Array([0.5], itself)).toThrow(RangeError)
  for (const text of ['0.5', '1.0', '1e3', '9007199254740990.7', 'x'])
    expect(() => int8Array([text], itself)).toThrow(SyntaxError)
})

test('a text that is not a UUID is refused before anything is sent', () => {
  for (const text of ['', 'no uuid', '0192d3a4-0000-7000-8000-00000000000g', '0192d3a4-0000-7000-8000-0000000000011']) {
    expect(() => uuidArray([text], itself)).toThrow(/is not a UUID/)
  }
})
