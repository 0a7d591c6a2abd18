import { expect, test } from 'vitest'
import { type CommandBus, createCommandBus, InvalidInputError, UnavailableError } from '../../../src/index.ts'
import { createTestBus, signal } from '../../support/bus.ts'

/** The bus as JavaScript code without types calls it. */
const untyped = (bus: CommandBus) => bus as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>

test('while a bus closes, running handlers may still send; a closed bus refuses calls, and workers that start late', async () => {
  const { bus, pool, work } = await createTestBus()
  const id = '5f0c2a7e-0000-4000-8000-000000000001'
  for (const action of ['retry', 'cancel', 'complete']) {
    const withoutOptions = untyped(bus).troubleshooting?.[action]?.('payments', id)
    await expect(withoutOptions).rejects.toThrow(InvalidInputError)
  }

  const [begun, go] = [signal(), signal()]
  await bus.send('payments', 'Charge', {})
  await work({
    domain: 'payments',
    handlers: {
      Charge: async () => {
        begun.resolve()
        await go.promise
        await bus.send('shop', 'Ship', {})
      },
    },
  })
  const late = bus.worker({ domain: 'payments', handlers: { Charge: () => null } })
  await begun.promise
  const closed = bus.close()
  go.resolve()
  await closed
  const { rows } = await pool.query('select domain, status from command_bus_command order by domain')
  expect(rows).toEqual([
    { domain: 'payments', status: 'COMPLETED' },
    { domain: 'shop', status: 'PENDING' },
  ])

  await expect(bus.send('payments', 'Charge', {})).rejects.toThrow(UnavailableError)
  await expect(bus.troubleshooting.list({})).rejects.toThrow(/this bus was closed/)
  await expect(late.start()).rejects.toThrow(/this bus was closed/)
  await bus.close()
})

test('an invalid handler is refused when it is registered', async () => {
  const bus = createCommandBus({ databaseUrl: 'postgres://127.0.0.1/nobody-connects' })
  const handle = () => null
  const wrong: readonly (readonly [handler: unknown, sentence: string])[] = [
    [undefined, 'must be a function, or what `defineHandler({ handle })` returns'],
    [{ handle: 'Charge' }, 'must be a function'],
    [{ payload: { parse: handle }, handle }, 'its payload must be an io-ts codec'],
    [{ payload: null, handle }, 'its payload must be an io-ts codec'],
    [{ timeoutMs: 0, handle }, 'its timeoutMs must be more than 0'],
    [{ timeoutMs: Number.NaN, handle }, 'its timeoutMs must be more than 0'],
    [{ timeoutMs: 1e12, handle }, 'its timeoutMs must be more than 0 and at most 2147483647'],
  ]
  for (const [handler, sentence] of wrong) {
    const handlers = { Charge: handler as never }
    expect(() => bus.worker({ domain: 'payments', handlers })).toThrow(`handlers.Charge: ${sentence}`)
  }
  await bus.close()
})

test('a bus without a database is refused with a reason', () => {
  expect(() => createCommandBus(undefined as never)).toThrow('options: say where the database is')
  expect(() => createCommandBus({})).toThrow('databaseUrl: must be a connection string')
})
