import { describe, expect, test } from 'vitest'
import {
  BusinessRuleError,
  CommandNotFoundError,
  DuplicateCommandError,
  InvalidInputError,
  InvalidOperationError,
  PermanentCommandError,
  TransientCommandError,
  UnavailableError,
} from '../../src/index.ts'
import { signal } from '../support/bus.ts'
import { auditNames } from '../support/park.ts'
import { type Handle, inMemory, onPostgresql } from './backends.ts'

/** A handler that does what its script says, attempt by attempt, and succeeds after that. */
const scripted = (...script: readonly (Error | null)[]) => {
  const calls: unknown[] = []
  const handle: Handle = data => {
    calls.push(data)
    const error = script[calls.length - 1] ?? null
    if (error !== null) throw error
    return { call: calls.length }
  }
  return { calls, handle }
}

const down = new TransientCommandError('DOWN', 'not now')
const declined = new PermanentCommandError('DECLINED', 'the card was declined', { bank: 'x' })
const operator = 'jane'

describe.each([
  ['in memory', inMemory],
  ['PostgreSQL', onPostgresql],
])('K1: %s', (_, open) => {
  test('a command is sent once, handled, and its sender gets a reply', async () => {
    const { calls, handle } = scripted()
    const { bus, see, repliesOn } = await open({ payments: { Charge: handle } })
    const sent = await bus.send('payments', 'Charge', { amount: 5 }, { replyTo: 'shop__replies', correlationId: 'o-7' })
    expect(sent).toMatchObject({ status: 'PENDING', msgId: '1', correlationId: 'o-7', commandType: 'Charge' })
    const again = { commandId: sent.commandId, replyTo: 'shop__replies' }
    await expect(bus.send('payments', 'Charge', { amount: 6 }, again)).rejects.toThrow(DuplicateCommandError)
    const done = await see('payments', sent.commandId, { status: 'COMPLETED' })
    expect(done).toMatchObject({ data: { amount: 5 }, result: { call: 1 }, attempts: 1, totalAttempts: 1, msgId: '1' })
    expect(calls).toEqual([{ amount: 5 }])
    expect(await repliesOn('shop__replies')).toMatchObject([
      { commandId: sent.commandId, outcome: 'SUCCESS', correlationId: 'o-7', commandType: 'Charge', data: { call: 1 } },
    ])
    expect(await auditNames(bus, 'payments', sent.commandId)).toEqual(['SENT', 'RECEIVED', 'COMPLETED'])
    expect(await bus.getAttempts('payments', sent.commandId)).toMatchObject([{ attempt: 1, outcome: 'COMPLETED' }])
  })

  test('an attempt that failed is tried again after its wait; the last one parks the command', async () => {
    const { calls, handle } = scripted(down, down, down)
    const policies = { Charge: { maxAttempts: 3, backoffSeconds: [10, 60] } }
    const { bus, see, advance, repliesOn } = await open({ payments: { Charge: handle } }, { policies })
    const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'shop__replies' })
    const first = await see('payments', commandId, { status: 'PENDING', totalAttempts: 1 })
    expect(Date.parse(String(first.nextAttemptAt)) - Date.parse(first.updatedAt)).toBe(10_000)
    expect((await bus.queryCommands({ retrying: true })).items.map(one => one.commandId)).toEqual([commandId])
    await advance(10)
    const second = await see('payments', commandId, { status: 'PENDING', totalAttempts: 2 })
    expect(Date.parse(String(second.nextAttemptAt)) - Date.parse(second.updatedAt)).toBe(60_000)
    await advance(60)
    const parked = await see('payments', commandId, { status: 'IN_TROUBLESHOOTING_QUEUE' })
    expect(parked).toMatchObject({ parkedReason: 'EXHAUSTED', lastErrorCode: 'DOWN', lastErrorMsg: 'not now' })
    expect(calls).toHaveLength(3)
    expect(await repliesOn('shop__replies')).toEqual([])
    expect(await bus.troubleshooting.list()).toMatchObject({
      total: 1,
      items: [{ commandId, payload: {}, lastErrorCode: 'DOWN', attempts: 3, maxAttempts: 3 }],
    })
    expect(await bus.troubleshooting.groups()).toMatchObject([{ commandType: 'Charge', errorCode: 'DOWN', count: 1 }])
  })

  test('operators retry with another payload, cancel and complete what is parked; its sender gets one reply', async () => {
    const { calls, handle } = scripted(declined, declined, declined)
    const { bus, see, repliesOn } = await open({ payments: { Charge: handle } })
    const ids: string[] = []
    for (const n of [1, 2, 3]) {
      const { commandId } = await bus.send('payments', 'Charge', { n }, { replyTo: 'shop__replies' })
      ids.push(commandId)
      await see('payments', commandId, { status: 'IN_TROUBLESHOOTING_QUEUE', totalAttempts: 1 })
    }
    const [retried, canceled, completed] = ids as [string, string, string]
    const { troubleshooting } = bus
    await troubleshooting.note('payments', retried, { operator, text: 'the bank is asked' })
    await troubleshooting.cancel('payments', canceled, { operator, reason: 'a duplicate' })
    await troubleshooting.complete('payments', completed, { operator, resultData: { by: 'hand' } })
    await expect(troubleshooting.cancel('payments', canceled, { operator, reason: 'x' })).rejects.toThrow(
      InvalidOperationError,
    )
    expect(await troubleshooting.retry('payments', retried, { operator, data: { n: 4 } })).toMatchObject({ msgId: '4' })
    const done = await see('payments', retried, { status: 'COMPLETED' })
    expect(done).toMatchObject({ data: { n: 4 }, result: { call: 4 }, attempts: 1, totalAttempts: 2, notes: 1 })
    expect(calls).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }])
    expect(await auditNames(bus, 'payments', retried)).toEqual([
      'SENT',
      'RECEIVED',
      'MOVED_TO_TROUBLESHOOTING_QUEUE',
      'OPERATOR_NOTE',
      'OPERATOR_RETRY',
      'RECEIVED',
      'COMPLETED',
    ])
    expect(await repliesOn('shop__replies')).toMatchObject([
      { commandId: canceled, outcome: 'CANCELED', reason: 'a duplicate' },
      { commandId: completed, outcome: 'SUCCESS', data: { by: 'hand' } },
      { commandId: retried, outcome: 'SUCCESS' },
    ])
    const history = await bus.getHistory('payments', retried)
    expect(history.items.at(-1)).toMatchObject({ state: { status: 'COMPLETED' } })
  })

  test('a business rule, or a policy that fails, ends a command FAILED; without a handler it is parked', async () => {
    const refusing = scripted(new BusinessRuleError('LIMIT', 'too much', { limit: 5 }))
    const failing = scripted(down)
    const { bus, see, repliesOn } = await open({ payments: { Charge: refusing.handle, Refund: failing.handle } })
    const replyTo = 'shop__replies'
    const charge = await bus.send('payments', 'Charge', {}, { replyTo })
    await see('payments', charge.commandId, { status: 'FAILED', totalAttempts: 1 })
    const refund = await bus.send('payments', 'Refund', {}, { replyTo, maxAttempts: 1, onExhausted: 'fail' })
    await see('payments', refund.commandId, { status: 'FAILED', totalAttempts: 1 })
    const unknown = await bus.send('payments', 'Void', {}, { replyTo })
    const parked = await see('payments', unknown.commandId, { status: 'IN_TROUBLESHOOTING_QUEUE' })
    expect(parked).toMatchObject({ parkedReason: 'NO_HANDLER', lastErrorCode: 'NO_HANDLER' })
    expect(await repliesOn(replyTo)).toMatchObject([
      { outcome: 'FAILED', error: { code: 'LIMIT', class: 'BUSINESS_RULE', details: { limit: 5 } } },
      { outcome: 'FAILED', error: { code: 'DOWN', class: 'TRANSIENT' } },
    ])
  })

  test('a command may run later, be moved, canceled by its sender, or expire', async () => {
    const { calls, handle } = scripted()
    const { bus, see, advance, repliesOn } = await open({ payments: { Charge: handle }, idle: {} })
    const later = await bus.send('payments', 'Charge', { n: 1 }, { delaySeconds: 3_600 })
    const moved = await bus.send('payments', 'Charge', { n: 2 }, { delaySeconds: 3_600 })
    const gone = await bus.send('payments', 'Charge', { n: 3 }, { delaySeconds: 3_600 })
    expect((await bus.queryCommands({ scheduled: true })).items).toHaveLength(3)
    await bus.reschedule('payments', moved.commandId, { delaySeconds: 0 })
    await bus.cancel('payments', gone.commandId, { reason: 'not needed' })
    await expect(bus.cancel('payments', gone.commandId)).rejects.toThrow(InvalidOperationError)
    await see('payments', moved.commandId, { status: 'COMPLETED' })
    expect(calls).toEqual([{ n: 2 }])
    await advance(3_600)
    await see('payments', later.commandId, { status: 'COMPLETED' })
    expect(calls).toEqual([{ n: 2 }, { n: 1 }])
    const unwanted = await bus.send('elsewhere', 'Charge', {}, { expiresInSeconds: 0.2, replyTo: 'shop__replies' })
    await advance(1)
    await see('elsewhere', unwanted.commandId, { status: 'CANCELED' })
    expect(await repliesOn('shop__replies')).toMatchObject([{ outcome: 'CANCELED', error: { code: 'EXPIRED' } }])
    expect(await auditNames(bus, 'elsewhere', unwanted.commandId)).toEqual(['SENT', 'COMMAND_EXPIRED'])
  })

  test('a batch reports duplicates one by one, and high priority comes first', async () => {
    const { calls, handle } = scripted()
    const { bus, see } = await open({ payments: { Charge: handle } })
    const charge = (n: number, more: object = {}) => ({ commandType: 'Charge', data: { n }, ...more })
    const [first] = await bus.sendBatch('payments', [charge(1)])
    const commandId = first?.commandId as string
    const results = await bus.sendBatch('payments', [charge(2, { commandId }), charge(3, { priority: 'high' })])
    expect(results.map(({ outcome }) => outcome)).toEqual(['duplicate', 'accepted'])
    await expect(bus.sendBatch('payments', [charge(4), charge(5, { maxAttempts: 0 })])).rejects.toThrow(
      InvalidInputError,
    )
    await see('payments', commandId, { status: 'COMPLETED' })
    expect(calls).toEqual([{ n: 3 }, { n: 1 }])
  })

  test('a pause keeps commands back until it ends', async () => {
    const { calls, handle } = scripted()
    const { bus, see } = await open({ payments: { Charge: handle, Refund: handle } })
    const { pauseId } = await bus.pause({ domain: 'payments', commandType: 'Charge', reason: 'the bank is down' })
    const charge = await bus.send('payments', 'Charge', { n: 1 })
    const refund = await bus.send('payments', 'Refund', { n: 2 })
    await see('payments', refund.commandId, { status: 'COMPLETED' })
    expect(await bus.getCommand('payments', charge.commandId)).toMatchObject({ status: 'PENDING', totalAttempts: 0 })
    expect(await bus.pauses()).toMatchObject([{ pauseId, commandType: 'Charge' }])
    await bus.resume(pauseId)
    await see('payments', charge.commandId, { status: 'COMPLETED', totalAttempts: 1 })
    expect(calls).toEqual([{ n: 2 }, { n: 1 }])
  })

  test('a worker that dies before its report costs an attempt, and the handler runs again', async () => {
    const { calls, handle } = scripted()
    const { bus, see, advance, inject } = await open({ payments: { Charge: handle } })
    const { commandId } = await bus.send('payments', 'Charge', {})
    inject.crashBeforeReport('Charge')
    const other = await bus.send('payments', 'Refund', {})
    await see('payments', other.commandId, { status: 'IN_TROUBLESHOOTING_QUEUE' })
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING', totalAttempts: 0 })
    await advance(30)
    const done = await see('payments', commandId, { status: 'COMPLETED' })
    expect(done).toMatchObject({ attempts: 2, totalAttempts: 2, result: { call: 2 } })
    expect(calls).toHaveLength(2)
    expect((await bus.getAttempts('payments', commandId)).map(({ outcome }) => outcome)).toEqual(['LOST', 'COMPLETED'])
  })

  test('a command whose last worker died is parked, and no handler runs', async () => {
    const { calls, handle } = scripted()
    const { bus, see, advance, inject } = await open({ payments: { Charge: handle } })
    const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
    inject.crashBeforeReport('Charge')
    await see('payments', commandId, { status: 'PENDING' })
    await advance(30)
    const parked = await see('payments', commandId, { status: 'IN_TROUBLESHOOTING_QUEUE' })
    expect(parked).toMatchObject({ parkedReason: 'LEASE_LOST', lastErrorType: 'LEASE_LOST', totalAttempts: 1 })
    expect(calls).toHaveLength(1)
  })

  test('a worker that dies after its report, and a copy of a message, change nothing', async () => {
    const { calls, handle } = scripted()
    const { bus, see, advance, inject, repliesOn } = await open({ payments: { Charge: handle } })
    for (const incident of ['crashAfterReport', 'duplicateDelivery'] as const) {
      inject[incident]('Charge')
      const { commandId } = await bus.send('payments', 'Charge', { incident }, { replyTo: 'shop__replies' })
      await see('payments', commandId, { status: 'COMPLETED', totalAttempts: 1 })
      await advance(30)
      await see('payments', commandId, { status: 'COMPLETED', totalAttempts: 1 })
    }
    expect(calls).toHaveLength(2)
    expect(await repliesOn('shop__replies')).toHaveLength(2)
  })

  test('the outcome of an attempt that has lost its lease does not count', async () => {
    const { calls, handle } = scripted()
    const { bus, see, inject, repliesOn } = await open({ payments: { Charge: handle } })
    inject.leaseLost('Charge')
    const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'shop__replies' })
    const done = await see('payments', commandId, { status: 'COMPLETED', totalAttempts: 2 })
    expect(done.result).toEqual({ call: 2 })
    expect(calls).toHaveLength(2)
    expect(await repliesOn('shop__replies')).toMatchObject([{ data: { call: 2 } }])
  })

  test('while the store is away sends fail, and an outcome waits for it', async () => {
    const [began, go] = [signal(), signal()]
    const { bus, see, work, storeAway } = await open({
      payments: {
        Charge: async () => {
          began.resolve()
          await go.promise
          return 'done'
        },
      },
    })
    const { commandId } = await bus.send('payments', 'Charge', {})
    await work()
    await began.promise
    const back = await storeAway()
    await expect(bus.send('payments', 'Charge', {})).rejects.toThrow(UnavailableError)
    go.resolve()
    await back()
    const done = await see('payments', commandId, { status: 'COMPLETED' })
    expect(done).toMatchObject({ result: 'done', totalAttempts: 1 })
  })

  test('callers of a tenant see and change only what is theirs', async () => {
    const { bus } = await open({})
    const { commandId } = await bus.send('payments', 'Charge', {}, { tenantId: 'acme' })
    const caller = (tenant: string) => bus.as({ subject: 'ann', tenant, roles: ['OPERATOR', 'SENDER'] })
    expect(await caller('acme').getCommand('payments', commandId)).toMatchObject({ tenantId: 'acme' })
    await expect(caller('other').cancel('payments', commandId)).rejects.toThrow(CommandNotFoundError)
    expect(await caller('acme').cancel('payments', commandId)).toMatchObject({ status: 'CANCELED' })
  })
})
