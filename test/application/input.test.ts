import { describe, expect, test } from 'vitest'
import { momentOf } from '../../src/application/investigation/read-history.ts'
import { InvalidInputError } from '../../src/application/shared/errors.ts'
import {
  commandIdOf,
  commandTypeOf,
  correlationIdOf,
  domainOf,
  instantOf,
  jsonOf,
  limitOf,
  MAX_LIMIT,
  optional,
  queueOf,
  statusOf,
  textOf,
} from '../../src/application/shared/input.ts'
import { commandStatuses } from '../../src/domain/command/transitions.ts'

/** The error that a call throws, which must say what to correct. */
const refusalOf = (call: () => unknown): InvalidInputError => {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError)
    return error as InvalidInputError
  }
  throw new Error('it was accepted')
}

const parsers: Readonly<Record<string, (value: unknown) => unknown>> = {
  domain: domainOf,
  commandId: commandIdOf,
  commandType: commandTypeOf,
  replyTo: queueOf,
  correlationId: correlationIdOf,
  operator: value => textOf(value, 'operator'),
  from: value => instantOf(value, 'from'),
}

describe.each(Object.entries(parsers))('%s', (field, parse) => {
  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [17, 'number'],
    [['a'], 'a list'],
    [{ a: 1 }, 'object'],
    [true, 'boolean'],
  ])('of %j is refused, naming the field and what was given', (value, what) => {
    const refusal = refusalOf(() => parse(value))
    expect(refusal).toMatchObject({
      field,
      code: 'INVALID_REQUEST',
      message: `${field}: must be a text, not ${what}`,
    })
  })

  test('of blank text is refused', () => {
    expect(refusalOf(() => parse('  ')).field).toBe(field)
  })
})

test('a refusal by the domain names the field', () => {
  expect(refusalOf(() => domainOf('No Domain')).message).toMatch(/^domain: 'No Domain' is not a valid domain name/)
  expect(refusalOf(() => commandIdOf('17', 'parentCommandId')).message).toMatch(
    /^parentCommandId: '17' is not a valid id/,
  )
  expect(refusalOf(() => queueOf('q'.repeat(48))).message).toMatch(/^replyTo: .* pgmq allows 47$/)
  expect(refusalOf(() => jsonOf({ a: 1n }, 'resultData')).message).toBe(
    'resultData: resultData.a is a bigint, which JSON cannot hold',
  )
})

test('a valid value comes back parsed', () => {
  expect(domainOf('eu.payments')).toBe('eu.payments')
  expect(commandIdOf('0192D3A4-0000-7000-8000-000000000001')).toBe('0192d3a4-0000-7000-8000-000000000001')
  expect(jsonOf({ a: new Date(0) })).toEqual({ a: '1970-01-01T00:00:00.000Z' })
})

describe('a text', () => {
  test('A7: must not be blank', () => {
    for (const blank of ['', ' ', '\t\n', '\u00a0\u2003']) {
      expect(refusalOf(() => textOf(blank, 'reason')).message).toBe('reason: must not be blank')
    }
  })

  test('may be as long as its field allows and no longer', () => {
    expect(textOf('a'.repeat(1000), 'reason')).toHaveLength(1000)
    expect(refusalOf(() => textOf('a'.repeat(1001), 'reason')).message).toBe(
      'reason: must have at most 1000 characters',
    )
    expect(refusalOf(() => textOf('abc', 'operator', 2)).message).toBe('operator: must have at most 2 characters')
  })

  test('may contain only what PostgreSQL can store', () => {
    for (const text of ['a\u0000b', 'a\ud800']) {
      expect(refusalOf(() => textOf(text, 'reason')).message).toBe(
        'reason: contains a NUL character or half a surrogate pair, which cannot be stored',
      )
    }
    expect(textOf(' ä 🎈\n', 'reason')).toBe(' ä 🎈\n')
  })
})

test('an optional value is absent when undefined or null, and parsed when given', () => {
  expect(optional(undefined, domainOf)).toBeNull()
  expect(optional(null, domainOf)).toBeNull()
  expect(optional('a', domainOf)).toBe('a')
  expect(refusalOf(() => optional('', domainOf)).field).toBe('domain')
})

describe('a status', () => {
  test.each(commandStatuses)('may be %s', status => {
    expect(statusOf(status)).toBe(status)
  })

  test.each(['pending', 'NONE', '', 'x'.repeat(1000), 17, null, {}, [], Symbol('s')])('may not be %o', value => {
    const { message } = refusalOf(() => statusOf(value))
    expect(message).toMatch(/^status: must be one of PENDING, IN_PROGRESS, .*IN_TROUBLESHOOTING_QUEUE, not /)
    expect(message.length).toBeLessThan(250)
  })

  test('is refused even if it cannot be converted to text', () => {
    expect(refusalOf(() => statusOf(Object.create(null))).field).toBe('status')
  })
})

describe('a limit', () => {
  test.each([1, 100, MAX_LIMIT])('may be %i', limit => {
    expect(limitOf(limit)).toBe(limit)
  })

  test.each([0, -1, 1.5, MAX_LIMIT + 1, Number.NaN, Number.POSITIVE_INFINITY, '10', null])('may not be %o', limit => {
    expect(refusalOf(() => limitOf(limit)).message).toMatch(/^limit: must be a whole number from 1 to 500, not /)
  })
})

describe('an instant', () => {
  test.each([
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.678+02:00', '2026-01-02T01:04:05.678Z'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
  ])('%s is %s', (given, instant) => {
    expect(instantOf(given, 'from')).toBe(instant)
  })

  test.each([
    'yesterday',
    '17',
    '01/02/2026',
    '2026-13-01',
    '2026-02-30',
    '2026-01-02junk',
    '2026-01-02 (noon)',
    '0000-01-01',
    new Date(Number.NaN),
    new Date(8.64e15),
  ])('%s is refused', given => {
    expect(refusalOf(() => instantOf(given, 'from')).message).toBe('from: must be an ISO 8601 date or time')
  })
})

test('the refusal of a moment that is neither a revision nor an instant says what is valid', () => {
  for (const given of ['x', '-1', 1.5, null]) {
    expect(refusalOf(() => momentOf(given, '--at')).message).toBe(
      '--at: must be a revision (0 is the first event) or an ISO 8601 date or time',
    )
  }
  expect(refusalOf(() => momentOf('2026-13-01', '--at')).message).toBe('--at: must be an ISO 8601 date or time')
})
