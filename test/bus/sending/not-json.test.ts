import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../../src/index.ts'
import { testBus } from '../../../src/testing/index.ts'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'

class User {
  readonly name = 'Ada'
}

const THEN = 'then'

/** Values that JSON.stringify would silently empty, change or round. */
const refused: readonly (readonly [string, unknown, RegExp])[] = [
  ['a promise', Promise.resolve(1), /user is a Promise: await it before (sending|returning)/],
  ['something like a promise', Object.create({ [THEN]: () => {} }), /user is a Promise/],
  ['an error', new TypeError('no'), /user is a TypeError/],
  ['a buffer', Buffer.from('a'), /user is a Buffer/],
  ['a typed array', new Uint8Array(2), /user is a Uint8Array/],
  ['an array buffer', new ArrayBuffer(2), /user is an ArrayBuffer/],
  ['a map', new Map(), /user is a Map/],
  ['a set', new Set(), /user is a Set/],
  ['a request', new Request('http://localhost'), /user is a Request/],
  ['a response', new Response(), /user is a Response/],
  ['a regular expression', /a/, /user is a RegExp/],
  ['an instance of a class', new User(), /user is a User/],
  ['a boxed number', Object(1), /user is a Number/],
  ['an object that inherits', { __proto__: { name: 'Ada' } }, /user is an object with a prototype of its own/],
  ['an invalid date', new Date(Number.NaN), /user is a Date without a time/],
  ['a function', () => 1, /user is a function/],
  ['a symbol', Symbol('s'), /user is a symbol/],
  ['a bigint', 1n, /user is a bigint/],
  ['NaN', Number.NaN, /user is NaN/],
  ['a rounded whole number', 2 ** 53 + 2, /user is past 9007199254740991/],
  ['a tiny number', 5e-324, /user is nearer to zero than 1e-80/],
  ['a list with a hole', Object.assign(Array(3), { 0: 1, 2: 2 }), /user\[1\] is a hole/],
  ['a huge number', 1e308, /user is past 9007199254740991/],
]

describe('R8: a value that JSON cannot hold', () => {
  test('R8: is refused with its path when it is sent, in a batch, in an operation and by an operator', async () => {
    const bus = testBus()
    const until = async <A>(look: () => Promise<A>): Promise<A> => {
      await bus.runUntilIdle()
      return look()
    }
    const owner = { subject: 'ada', tenant: null }
    const commandId = await parked({ bus, until }, 'payments', { amount: 1 })
    const operator = 'jane'
    for (const [what, user, sentence] of refused) {
      const calls: readonly (() => Promise<unknown>)[] = [
        () => bus.send('payments', 'Charge', { user }),
        () => bus.sendBatch('payments', [{ commandType: 'Charge', data: { user } }]),
        () => bus.operations.start(owner, { operation_type: 'x', parameters: { user } }),
        () => bus.troubleshooting.retry('payments', commandId, { operator, data: { user } }),
        () => bus.troubleshooting.complete('payments', commandId, { operator, resultData: { user } }),
      ]
      for (const call of calls) {
        const error = await call().then(
          () => null,
          (thrown: unknown) => thrown,
        )
        expect(error, what).toBeInstanceOf(InvalidInputError)
        expect((error as Error).message, what).toMatch(sentence)
      }
    }
    await expect(bus.send('payments', 'Charge', { user: Promise.resolve() })).rejects.toThrow(
      'data.user is a Promise: await it before sending',
    )
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'IN_TROUBLESHOOTING_QUEUE' })
  })

  test('R8: parks the command when a handler returns it', async () => {
    const Charge = (data: unknown) => {
      const user = refused[Number(data)]?.[1]
      return { user }
    }
    const bus = testBus({ handlers: { payments: { Charge } } })
    const sent = await bus.sendBatch(
      'payments',
      refused.map((_, i) => ({ commandType: 'Charge', data: i })),
    )
    await bus.runUntilIdle()
    for (const [i, { commandId }] of sent.entries()) {
      bus.expect(commandId).toBeParked('INVALID_RESULT')
      const parkedCommand = await bus.getCommand('payments', commandId)
      expect(parkedCommand?.lastErrorMsg).toMatch(refused[i]?.[2] as RegExp)
      expect(parkedCommand?.lastErrorMsg).toMatch(/result\.user/)
    }
  })

  test('R8: numbers count with as many digits as PostgreSQL writes', async () => {
    const { bus } = await createTestBus()
    await expect(bus.send('payments', 'Charge', Array(14_000).fill(1e-79))).rejects.toThrow(/numbers written out/)
    const { commandId } = await bus.send('payments', 'Charge', [1e-79, 0.1, 5])
    expect((await bus.getCommand('payments', commandId))?.data).toEqual([1e-79, 0.1, 5])
  })

  test('R8: a member called __proto__ is kept like any other', async () => {
    const { bus } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', JSON.parse('{"__proto__":{"a":1}}'))
    expect(JSON.stringify((await bus.getCommand('payments', commandId))?.data)).toBe('{"__proto__":{"a":1}}')
  })
})
