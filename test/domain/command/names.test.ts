import fc from 'fast-check'
import { isRight, left, right } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  commandQueue,
  commandStream,
  domainOfQueue,
  MAX_QUEUE_NAME,
  parseCommandId,
  parseCommandStream,
  parseCommandType,
  parseCorrelationId,
  parseDomain,
  parseQueueName,
  replyQueue,
} from '../../../src/domain/command/names.ts'
import { key, stream } from '../../support/lives/command-life.ts'

const part = fc.stringMatching(/^[a-z0-9]{1,6}$/)
const domain = fc
  .tuple(
    fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/),
    fc.array(fc.tuple(fc.constantFrom('.', '_', '-'), part), { maxLength: 4 }),
  )
  .map(([head, rest]) => head + rest.map(([separator, text]) => separator + text).join(''))

describe('a domain', () => {
  test.each(['a', 'payments', 'eu.payments', 'eu_payments', 'eu-payments', 'a1.b2_c3-d4', 'a.1'])('may be %s', name => {
    expect(parseDomain(name)).toEqual(right(name))
  })

  test.each([
    '',
    'Payments',
    '1a',
    'a..b',
    'a__b',
    'a._b',
    'a.-b',
    '.a',
    'a.',
    'a_',
    '_a',
    'a b',
    'ä',
    'a/b',
    "a'; drop table x; --",
    'a\n',
    'a\u0000',
  ])('may not be %j', name => {
    const parsed = parseDomain(name)
    expect(parsed).toEqual(left(expect.stringContaining('is not a valid domain name')))
  })

  test('may be as long as its queue name fits in 47 characters; the refusal says how long it is', () => {
    expect(parseDomain('a'.repeat(37))).toEqual(right('a'.repeat(37)))
    expect(parseDomain('a'.repeat(38))).toEqual(
      left(expect.stringMatching(/too long: its queue 'a+__commands' has 48 characters and pgmq allows 47/)),
    )
  })

  test('counts a dot twice, because it becomes two underscores', () => {
    const dotted = `${'a'.repeat(17)}.${'b'.repeat(18)}`
    expect(parseDomain(dotted)).toEqual(right(dotted))
    expect(isRight(parseDomain(`${dotted}b`))).toBe(false)
  })

  test('is cut in the refusal when it is very long', () => {
    const parsed = parseDomain('X'.repeat(100_000))
    expect(parsed._tag === 'Left' && parsed.left.length).toBeLessThan(300)
  })
})

describe('queues', () => {
  test('take the name of their domain with dots as two underscores', () => {
    expect(commandQueue('eu.pay_ments')).toBe('eu__pay_ments__commands')
    expect(replyQueue('eu.pay_ments')).toBe('eu__pay_ments__replies')
  })

  test("of two domains are never the same, and no domain's queue is another's reply queue", () => {
    fc.assert(
      fc.property(fc.uniqueArray(domain, { minLength: 2, maxLength: 30 }), domains => {
        const queues = domains.flatMap(name => [commandQueue(name), replyQueue(name)])
        expect(new Set(queues).size).toBe(queues.length)
      }),
      { numRuns: 300, examples: [[['a.b', 'a_b', 'a-b', 'a.b.c', 'a_b.c', 'a.replies', 'a.commands', 'a']]] },
    )
  })

  test('of every valid domain have names that pgmq accepts unchanged', () => {
    fc.assert(
      fc.property(domain, name => {
        const accepted = isRight(parseDomain(name))
        expect(accepted).toBe(commandQueue(name).length <= MAX_QUEUE_NAME)
        if (!accepted) return
        expect(parseQueueName(commandQueue(name))).toEqual(right(commandQueue(name)))
        expect(parseQueueName(replyQueue(name))).toEqual(right(replyQueue(name)))
      }),
    )
  })

  test.each(['', 'A', 'a.b', 'a b', '1a', 'a"b', "a'b", 'ä', 'a\n'])('to reply to may not be %j', name => {
    expect(parseQueueName(name)).toEqual(left(expect.stringContaining('is not a valid queue name')))
  })

  test.each(['q_pkey', 'q_pkey1', 'q_vt_idx', 'q_msg_id_seq', 'q_msg_id_not_null'])(
    "to reply to may not be %j: objects of another queue's table have such names",
    name => {
      expect(parseQueueName(name)).toEqual(
        left(expect.stringContaining('it ends like the name of an index of another queue')),
      )
    },
  )

  test('of commands give their domain back, and other queues give none', () => {
    fc.assert(
      fc.property(domain, name => {
        expect(domainOfQueue(commandQueue(name))).toBe(name)
      }),
    )
    expect(domainOfQueue('eu__pay_ments__commands')).toBe('eu.pay_ments')
    for (const queue of ['replies', 'eu__replies', '__commands_of_others']) expect(domainOfQueue(queue)).toBeNull()
  })

  test('to reply to may have 47 characters and not 48', () => {
    expect(isRight(parseQueueName('q'.repeat(47)))).toBe(true)
    expect(parseQueueName('q'.repeat(48))).toEqual(left(expect.stringContaining('48 characters and pgmq allows 47')))
  })
})

describe('streams', () => {
  test('give back the command that they are named after', () => {
    fc.assert(
      fc.property(domain, fc.uuid(), (name, commandId) => {
        const of = { domain: name, commandId }
        expect(parseCommandStream(commandStream(of))).toEqual(of)
      }),
    )
    expect(parseCommandStream(stream)).toEqual(key)
  })

  test.each([
    '',
    'command-',
    'command--',
    `run-${key.commandId}`,
    `credits-acme-${key.commandId}`,
    `command-${key.commandId}`,
    'command-payments-17',
  ])('of other kinds belong to no command: %s', name => {
    expect(parseCommandStream(name)).toBeNull()
  })

  test('without the dash before the id belong to no command', () => {
    expect(parseCommandStream(`command-payments.${key.commandId}`)).toBeNull()
  })
})

test('A14: an id is a UUID, and upper case is the same id', () => {
  expect(parseCommandId(key.commandId.toUpperCase())).toEqual(right(key.commandId))
  for (const text of ['', '17', `${key.commandId} `, `{${key.commandId}}`, key.commandId.replaceAll('-', '')]) {
    expect(parseCommandId(text)).toEqual(left(expect.stringContaining('is not a valid id')))
  }
})

test('a command type is up to 128 plain characters', () => {
  for (const text of ['A', 'Charge', 'billing.Charge:v2_x-y', 'a'.repeat(128)]) {
    expect(parseCommandType(text)).toEqual(right(text))
  }
  for (const text of ['', '1a', 'a b', 'ä', 'a\n', 'a'.repeat(129)]) expect(isRight(parseCommandType(text))).toBe(false)
})

test('A15: a correlation id is any text of 1 to 128 characters that PostgreSQL can hold', () => {
  for (const text of ['x', ' x ', 'Ünï-🎈', 'c'.repeat(128)]) expect(parseCorrelationId(text)).toEqual(right(text))
  for (const text of ['', ' \t', 'c'.repeat(129), 'a\u0000b', 'a\ud800b']) {
    expect(isRight(parseCorrelationId(text))).toBe(false)
  }
})
