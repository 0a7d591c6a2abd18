import { expect, test } from 'vitest'
import { TransientCommandError } from '../../src/index.ts'
import { testBus } from '../../src/testing/index.ts'

test('smoke', async () => {
  let calls = 0
  const bus = testBus({
    handlers: {
      payments: {
        Charge: (data: unknown) => {
          calls++
          if (calls === 1) throw new TransientCommandError('DOWN', 'not now')
          return { charged: (data as { amount: number }).amount }
        },
      },
    },
  })
  const { commandId } = await bus.send('payments', 'Charge', { amount: 5 }, { replyTo: 'shop' })
  bus.expect(commandId).toBePending().toHaveEvents(['CommandSent'])
  await bus.runUntilIdle()
  bus.expect(commandId).toBePending().toHaveAttempts(1).toHaveError('DOWN')
  await bus.advance({ seconds: 10 })
  bus.expect(commandId).toBeCompleted({ charged: 5 }).toHaveReplied({ outcome: 'SUCCESS', data: { charged: 5 } })
  expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'COMPLETED', result: { charged: 5 }, data: { amount: 5 } })
  expect(() => bus.expect(commandId).toBeParked()).toThrowErrorMatchingInlineSnapshot(`
    [AssertionError: expected payments Charge 01a229f5-518d-75a4-a500-5ae1909f373c to be IN_TROUBLESHOOTING_QUEUE. It is COMPLETED:
      2026-01-01T00:00:00.000Z CommandSent by sender
      2026-01-01T00:00:00.000Z CommandReceived by worker:payments
      2026-01-01T00:00:00.000Z CommandFailed by worker:payments: DOWN not now
      2026-01-01T00:00:10.000Z CommandCompleted by worker:payments]
  `)
  for (const incident of ['crashBeforeReport', 'crashAfterReport', 'duplicateDelivery', 'leaseLost'] as const) {
    bus.inject[incident]('Charge')
    calls = 1
    const { commandId: id } = await bus.send('payments', 'Charge', { amount: 6 })
    await bus.runUntilSettled()
    console.log(incident, calls, bus.eventsOf('payments', id).map(({ type }) => type))
    bus.expect(id).toBeCompleted({ charged: 6 })
  }
  const back = bus.inject.storeAway()
  await expect(bus.send('payments', 'Charge', {})).rejects.toThrow('the store is away')
  await bus.runUntilIdle()
  back()
  const reply = await bus.request('payments', 'Charge', { amount: 1 })
  expect(reply.data).toEqual({ charged: 1 })
})
