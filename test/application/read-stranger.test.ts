import { left, right } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import type { AdoptChoice } from '../../src/application/ports/strangers.ts'
import { readStranger } from '../../src/application/strangers/read-stranger.ts'

const ID = '01a200e7-9826-75ab-81b7-8c8837dfbce2'
const NEW = '00000000-0000-5000-8000-000000000001'
const whole = {
  command_id: ID,
  command_type: 'Charge',
  domain: 'shop.eu',
  correlation_id: 'order-7',
  reply_to: 'shop_replies',
  created_at: '2024-05-01T12:00:00+02:00',
  data: { amount: 5 },
}
const queue = 'shop__eu__commands'
const read = (body: unknown, choice: AdoptChoice = {}) =>
  readStranger({ queue, msgId: '7', reads: 2, body }, choice, NEW)
const command = {
  commandId: ID,
  commandType: 'Charge',
  data: whole.data,
  correlationId: 'order-7',
  replyTo: 'shop_replies',
}
const adopted = { queue, msgId: '7', reads: 2, createdAt: '2024-05-01T10:00:00.000Z' }
const is = (over: object, mark: object = {}) =>
  right({ domain: 'shop.eu', command: { ...command, ...over }, adopted: { ...adopted, ...mark } })

test('F13: a message of another library is read as a command', () => {
  expect(read(whole)).toEqual(is({}))
  const { command_type: type, ...rest } = whole
  expect(read({ ...rest, type })).toEqual(is({}))
  expect(read({ ...whole, command_id: ID.toUpperCase(), domain: null })).toEqual(is({}))
  expect(read({ ...whole, causation_id: 'cart-1', traceparent: 7 })).toEqual(is({ causationId: 'cart-1' }))
})

test.each([
  ['no command id', { ...whole, command_id: undefined }, { commandId: NEW }, {}],
  ['an id that is no UUID', { ...whole, command_id: 'order-17' }, { commandId: NEW }, { commandId: 'order-17' }],
  ['a number as its id', { ...whole, command_id: 17 }, { commandId: NEW }, { commandId: '17' }],
])('F13: %s: it gets a new one', (_, body, over, mark) => {
  expect(read(body)).toEqual(is(over, mark))
})

test.each([
  ['no correlation id', undefined, {}],
  ['null', null, {}],
  ['a number', 7, { correlationId: '7' }],
  ['a blank one', ' ', { correlationId: ' ' }],
  ['one that is too long', 'x'.repeat(300), { correlationId: 'x'.repeat(200) }],
])('F13: a correlation id that cannot be kept (%s) stands in the mark', (_, correlation_id, mark) => {
  const { correlationId: _own, ...rest } = command
  expect(read({ ...whole, correlation_id })).toEqual(
    right({ domain: 'shop.eu', command: rest, adopted: { ...adopted, ...mark } }),
  )
})

test('F13: without a correlation id, an id that was replaced takes its place', () => {
  expect(read({ ...whole, command_id: 'order-17', correlation_id: null })).toEqual(
    is({ commandId: NEW, correlationId: 'order-17' }, { commandId: 'order-17' }),
  )
})

test.each([
  ['no type', { ...whole, command_type: undefined }, 'names no command type'],
  ['a type that is not valid', { ...whole, command_type: 'a b' }, "'a b' is not a valid command type"],
  ['no object', 'text', 'names no command type'],
  ['a list', [whole], 'names no command type'],
  ['another domain', { ...whole, domain: 'shop' }, "is for another domain than 'shop.eu'"],
  ['a reply queue that is not valid', { ...whole, reply_to: 'a b' }, "'a b' is not a valid queue name"],
  ['a reply queue that is no text', { ...whole, reply_to: {} }, 'its reply queue is not a text'],
  ['a queue of commands for its reply', { ...whole, reply_to: queue }, 'is a queue of commands'],
])('F13: it is refused with %s', (_, body, why) => {
  expect(read(body)).toEqual(left(expect.stringContaining(why)))
})

test('F13: an operator says what is not valid', () => {
  const bad = { ...whole, command_type: 'a b', reply_to: 'a b', domain: 'shop' }
  expect(read(bad, { commandType: 'Charge', replyTo: 'shop_replies', asNew: true })).toEqual(
    is({ commandId: NEW }, { commandId: ID }),
  )
  const { replyTo: _, ...silent } = command
  expect(read(whole, { replyTo: null })).toEqual(right({ domain: 'shop.eu', command: silent, adopted }))
})

test.each([['text'], [null], [[1]], [7], [{ amount: 5 }]])(
  'F13: what has no member `data` is the payload itself: %j',
  body => {
    expect(read(body, { commandType: 'Charge' })).toMatchObject(right({ command: { data: body, commandId: NEW } }))
  },
)

test('F13: the queue of a priority gives the command its priority', () => {
  const found = { queue: 'shop__eu__commands__high', msgId: '7', reads: 2, body: whole }
  expect(readStranger(found, {}, NEW)).toMatchObject(right({ domain: 'shop.eu', command: { priority: 'high' } }))
})
