import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  type CommandDefinition,
  defineCommand,
  defineHandler,
  HandlerAlreadyRegisteredError,
  type Identity,
  InvalidInputError,
  InvalidPayloadError,
  PermanentCommandError,
} from '../../../src/index.ts'
import { createTestBus, signal } from '../../support/bus.ts'
import { isParked, parked } from '../../support/park.ts'

const SECRET = 'SECRET-4111'
const DUE = '2026-12-01T10:00:00.000Z'
const isCompleted = (command: { readonly status: string } | null) => command?.status === 'COMPLETED'
const jane: Identity = { subject: 'jane', tenant: null, roles: ['OPERATOR'] }

interface Sent {
  amount: number
  due: string
  card: { number: string }
}
interface Received extends Omit<Sent, 'due'> {
  due: Date
}
const sensitive = ['card.number']
const charges: Readonly<Record<string, CommandDefinition<Sent, Received>>> = {
  zod: defineCommand(
    'payments',
    'Charge',
    z.object({
      amount: z.number().positive(),
      due: z.iso.datetime().transform(text => new Date(text)),
      card: z.object({ number: z.string().regex(/^[\d ]+$/) }),
    }),
    { sensitive },
  ),
  valibot: defineCommand(
    'payments',
    'Charge',
    v.object({
      amount: v.pipe(v.number(), v.minValue(1)),
      due: v.pipe(
        v.string(),
        v.isoTimestamp(),
        v.transform(text => new Date(text)),
      ),
      card: v.object({ number: v.pipe(v.string(), v.regex(/^[\d ]+$/)) }),
    }),
    { sensitive },
  ),
  arktype: defineCommand(
    'payments',
    'Charge',
    type({ amount: 'number > 0', due: 'string.date.iso.parse', card: { number: /^[\d ]+$/ } }),
    { sensitive },
  ),
}

test.each(Object.entries(charges))(
  'K2: %s: a command is kept as it was sent, reaches its handler changed, and is parked and edited by its schema',
  async (_, charge) => {
    const fits: Sent = { amount: 25, due: DUE, card: { number: '41 11' } }
    const unfit: Sent = { amount: 0, due: DUE, card: { number: SECRET } }
    const { bus, work, until } = await createTestBus()
    const received: Received[] = []
    const handler = defineHandler({
      command: charge,
      rehearsable: true,
      handle: (data, { command }) => {
        received.push(data, command.data)
        return { year: data.due.getUTCFullYear(), charged: data.amount }
      },
    })
    await bus.search.declare({ commandType: charge.commandType, paths: ['amount'] })
    await work({ domain: 'payments', handlers: { Charge: handler } })

    const sent = await bus.send(charge, fits, { correlationId: 'order-7' })
    const done = await until(() => bus.getCommand('payments', sent.commandId), isCompleted)
    expect(done).toMatchObject({ data: fits, correlationId: 'order-7', result: { year: 2026, charged: 25 } })
    expect(received).toEqual([{ ...fits, due: new Date(DUE) }, received[0]])
    expect(await bus.request(charge, fits, { timeoutMs: 20_000 })).toMatchObject({ data: { charged: 25 } })
    const [second] = await bus.sendBatch('payments', [{ ...charge({ ...fits, amount: 26 }), key: 'customer-7' }])
    await until(() => bus.getCommand('payments', second?.commandId ?? ''), isCompleted)
    const { items } = await bus.queryCommands({ payload: { path: 'amount', value: '26' } })
    expect(items.map(item => item.commandId)).toEqual([second?.commandId])

    const { commandId } = await bus.send(charge, unfit)
    const seen = await until(() => bus.getCommand('payments', commandId), isParked)
    expect(seen).toMatchObject({ parkedReason: 'INVALID_PAYLOAD', totalAttempts: 1 })
    expect(seen?.lastErrorMsg).toMatch(/^the payload does not fit: (amount: .*card\.number: |card\.number: .*amount: )/)
    const shown = JSON.stringify([
      await bus.as(jane).getCommand('payments', commandId),
      await bus.as(jane).history('payments', commandId),
      await bus.as(jane).troubleshooting.list({}),
    ])
    expect(shown).toContain('•••')
    expect(shown).not.toContain(SECRET)

    const retry = (data: unknown) => bus.troubleshooting.retry('payments', commandId, { operator: 'jane', data })
    const refused = await retry({ ...unfit, amount: 1 }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InvalidPayloadError)
    expect(String(refused)).toContain('data.card.number: ')
    expect(String(refused)).not.toContain(SECRET)
    const rehearse = (options = {}) => bus.troubleshooting.rehearse('payments', commandId, options)
    expect(await rehearse()).toMatchObject({ outcome: 'INVALID_PAYLOAD', wouldBe: 'IN_TROUBLESHOOTING_QUEUE' })
    expect(await rehearse({ data: fits })).toMatchObject({ outcome: 'SUCCESS', result: { charged: 25, year: 2026 } })
    await retry(fits)
    const ended = await until(() => bus.getCommand('payments', commandId), isCompleted)
    expect(ended).toMatchObject({ data: fits, result: { charged: 25 } })
  },
)

describe('K2: a send with checkOnSend', () => {
  const charge = defineCommand(
    'payments',
    'Charge',
    v.objectAsync({
      amount: v.pipeAsync(
        v.number(),
        v.checkAsync(async amount => amount > 0, 'must be positive'),
      ),
    }),
    { checkOnSend: true },
  )

  test('K2: waits for the schema, and stores nothing that does not fit', async () => {
    const { bus, messages } = await createTestBus()
    await expect(bus.send(charge, { amount: 0 })).rejects.toThrow(InvalidPayloadError)
    await expect(bus.request(charge, { amount: 0 })).rejects.toThrow('data.amount: must be positive')
    await expect(bus.send(charge, { amount: 1n as never })).rejects.toThrow('data.amount is a bigint')
    expect((await bus.queryCommands({})).items).toEqual([])
    const { commandId } = await bus.send(charge, { amount: 1 })
    expect(await messages('payments__commands')).toMatchObject([{ message: { command_id: commandId } }])
  })

  test('K2: a defined command does not go to another domain, nor to the handler of another type', async () => {
    const { bus } = await createTestBus()
    const refund = defineCommand('payments', 'Refund', z.object({ amount: z.number() }))
    const batch = bus.sendBatch('shipping', [refund({ amount: 1 })])
    await expect(batch).rejects.toThrow("commands[0].domain: the command is of domain 'payments', not of 'shipping'")
    await expect(batch).rejects.toThrow(InvalidInputError)
    const caller = bus.as({ subject: 'ann', tenant: null, roles: ['SENDER'] })
    await expect(caller.send('shipping', refund({ amount: 1 }))).rejects.toThrow("of domain 'payments'")
    expect(await caller.send(refund.domain, refund({ amount: 1 }))).toMatchObject({ commandType: 'Refund' })
    const of = (domain: string, handlers: object) => () => bus.worker({ domain, handlers: handlers as never })
    const handle = () => null
    const misplaced = "its command is 'Refund' of domain 'payments', not"
    expect(of('payments', { Charge: { command: refund, handle } })).toThrow(`handlers.Charge: ${misplaced} 'Charge'`)
    expect(of('payments', { '*': { command: refund, handle } })).toThrow(`handlers.*: ${misplaced} '*'`)
    expect(of('shipping', { Refund: { command: refund, handle } })).toThrow("'Refund' of domain 'shipping'")
    expect(of('payments', { Refund: { command: {}, handle } })).toThrow('what `defineCommand` returns')
    const both = { command: refund, payload: refund.payload, handle }
    expect(of('payments', { Refund: both })).toThrow('give it `command` or `payload`, not both')
    const worker = bus.worker({ domain: 'payments', handlers: { Refund: defineHandler({ command: refund, handle }) } })
    expect(() => worker.handle('Refund', handle)).toThrow(HandlerAlreadyRegisteredError)
  })
})

describe('K2: a schema that answers with a promise', () => {
  /** A schema that waits for `answer`, and makes cents of an amount. */
  const waiting = (answer: () => Promise<boolean>) =>
    v.objectAsync({
      amount: v.pipeAsync(
        v.number(),
        v.checkAsync(answer, 'is refused by the bank'),
        v.transform(amount => amount * 100),
      ),
    })

  test('K2: is awaited before its handler, also within a transaction, in a lane, or before a command expires', async () => {
    const { bus, work, until, pool } = await createTestBus()
    await pool.query('create table charge (amount int)')
    const payload = waiting(async () => true)
    const handle = ({ amount }: { amount: number }) => ({ charged: amount })
    const transactional = defineHandler({
      payload,
      transactional: true,
      handle: async ({ amount }, { client }) => client.query('insert into charge values ($1)', [amount]).then(() => 1),
    })
    await work({
      domain: 'payments',
      handlers: { Charge: defineHandler({ payload, handle }), Book: transactional },
    })
    const sent = await Promise.all([
      bus.send('payments', 'Charge', { amount: 1 }),
      bus.send('payments', 'Charge', { amount: 1 }, { key: 'customer-7' }),
      bus.send('payments', 'Charge', { amount: 1 }, { expiresInSeconds: 3_600 }),
      bus.send('payments', 'Book', { amount: 1 }),
    ])
    const results: unknown[] = []
    for (const { commandId } of sent) {
      const done = await until(() => bus.getCommand('payments', commandId), isCompleted)
      results.push(done?.result)
    }
    expect(results).toEqual([{ charged: 100 }, { charged: 100 }, { charged: 100 }, 1])
    expect((await pool.query('select amount from charge')).rows).toEqual([{ amount: 100 }])
  })

  test('K2: parks what it refuses, and fails as its handler does where it rejects, throws or takes too long', async () => {
    const { bus, work, until } = await createTestBus()
    const never = () => new Promise<boolean>(() => {})
    const began: string[] = []
    const handlerOf = (answer: () => Promise<boolean>, more: object = {}) =>
      defineHandler({ payload: waiting(answer), ...more, handle: (_, { command }) => began.push(command.commandType) })
    const throwing = z.object({ amount: z.number() }).transform(() => {
      throw new RangeError('no rate for today')
    })
    const broken = () => Promise.reject(new PermanentCommandError('BANK_CLOSED', 'the bank is closed'))
    await work({
      domain: 'payments',
      handlers: {
        Refused: handlerOf(async () => false),
        RefusedBook: handlerOf(async () => false, { transactional: true }),
        Broken: handlerOf(broken),
        Never: handlerOf(never, { timeoutMs: 30 }),
        Throwing: defineHandler({ payload: throwing, handle: (_, { command }) => began.push(command.commandType) }),
      },
    })
    const ends = async (commandType: string) => {
      const { commandId } = await bus.send('payments', commandType, { amount: 1 }, { maxAttempts: 1 })
      const { parkedReason, lastErrorCode, lastErrorMsg } =
        (await until(() => bus.getCommand('payments', commandId), isParked)) ?? {}
      return [parkedReason, lastErrorCode, lastErrorMsg]
    }
    const unfit = 'the payload does not fit: amount: is refused by the bank'
    expect(await ends('Refused')).toEqual(['INVALID_PAYLOAD', 'INVALID_PAYLOAD', unfit])
    expect(await ends('RefusedBook')).toEqual(['INVALID_PAYLOAD', 'INVALID_PAYLOAD', unfit])
    expect(await ends('Broken')).toEqual(['PERMANENT', 'BANK_CLOSED', 'the bank is closed'])
    expect(await ends('Never')).toEqual(['EXHAUSTED', 'TIMEOUT', 'the handler did not end within 30 ms'])
    expect(await ends('Throwing')).toEqual(['EXHAUSTED', 'RangeError', 'no rate for today'])
    expect(began).toEqual([])
  })

  test('K2: a handler that was given up before its payload was checked never begins', async () => {
    const { bus, work, until } = await createTestBus()
    const [asked, answer] = [signal(), signal<boolean>()]
    const began: number[] = []
    const payload = waiting(() => {
      asked.resolve()
      return answer.promise
    })
    const worker = await work({
      domain: 'payments',
      handlers: { Charge: defineHandler({ payload, handle: ({ amount }) => began.push(amount) }) },
    })
    const { commandId } = await bus.send('payments', 'Charge', { amount: 1 }, { maxAttempts: 1 })
    await asked.promise
    await worker.stop({ deadlineMs: 0 })
    answer.resolve(true)
    expect(await until(() => bus.getCommand('payments', commandId), isParked)).toMatchObject({
      lastErrorCode: 'WORKER_STOPPED',
    })
    expect(began).toEqual([])
  })

  test('K2: an operator and a rehearsal wait for it, and read what it says', async () => {
    const setup = await createTestBus()
    const id = await parked(setup, 'payments', { amount: 5 })
    const failing = () => Promise.reject(new RangeError(`no rate for ${SECRET}`))
    const on = (answer: () => Promise<boolean>) =>
      setup.another({
        handlers: {
          payments: { Charge: defineHandler({ payload: waiting(answer), rehearsable: true, handle: () => 'done' }) },
        },
      }).troubleshooting
    const rehearse = (answer: () => Promise<boolean>, options = {}) => on(answer).rehearse('payments', id, options)
    expect(await rehearse(async () => true)).toMatchObject({ outcome: 'SUCCESS', result: 'done' })
    expect(await rehearse(async () => false)).toMatchObject({ outcome: 'INVALID_PAYLOAD' })
    expect(await rehearse(failing)).toMatchObject({ outcome: 'TRANSIENT', error: { code: 'RangeError' } })
    expect(await rehearse(() => new Promise(() => {}), { timeoutMs: 20 })).toMatchObject({
      outcome: 'TIMEOUT',
      error: { message: 'the schema of the payload did not answer within 20 ms' },
    })
    const retry = (answer: () => Promise<boolean>) =>
      on(answer).retry('payments', id, { operator: 'jane', data: { amount: 6 } })
    await expect(retry(async () => false)).rejects.toThrow('data.amount: is refused by the bank')
    await expect(retry(failing)).rejects.toThrow(/fit its handler: data: its schema fails on it \(RangeError\)$/)
    expect(await retry(async () => true)).toMatchObject({ status: 'PENDING' })
  })
})
