import { expect, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'

test('a command goes from send to reply', async () => {
  const { bus, work, until, messages, pool } = await createTestBus()
  const sent = await bus.send('payments', 'Charge', { amount: 5 }, { replyTo: 'payments__replies' })
  expect(sent.msgId).toBe('1')
  await work({ domain: 'payments', handlers: { Charge: async data => ({ charged: data }) } })
  const done = await until(() => bus.getCommand('payments', sent.commandId), c => c?.status === 'COMPLETED')
  expect(done).toMatchObject({ result: { charged: { amount: 5 } } })
  console.log(done, await bus.getAuditTrail('payments', sent.commandId), await messages('payments__replies'))
  console.log((await pool.query('select * from command_bus_event')).rows)
})
