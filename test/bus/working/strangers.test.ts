import { expect, test } from 'vitest'
import { readDatabaseStats } from '../../../src/infrastructure/postgres/stats/database-stats.ts'
import { createStats } from '../../../src/infrastructure/postgres/stats/stats.ts'
import { createMetrics } from '../../../src/infrastructure/telemetry/metrics.ts'
import { createTestBus, until } from '../../support/bus.ts'

const QUEUE = 'payments__commands'
const ID = '01a200e7-9826-75ab-81b7-8c8837dfbce2'
const strays = [
  '"text"',
  '{"command_id": 7}',
  `{"command_id": "${ID}", "domain": "payments", "type": "Charge", "data": {"amount": 5}}`,
]

const withStrays = async () => {
  const setup = await createTestBus()
  await setup.bus.send('payments', 'Charge', {})
  for (const stray of strays) await setup.pool.query('select pgmq.send($1::text, $2::jsonb)', [QUEUE, stray])
  return setup
}

test('F13: a message of no known command is moved to a place of its own with the reason, and counted', async () => {
  const { bus, pool, work, archived, messages } = await withStrays()
  const { rows: sent } = await pool.query(`select msg_id from pgmq.q_${QUEUE} order by msg_id offset 1`)
  await work({ domain: 'payments', handlers: { Charge: () => null } })
  await until(
    () => messages(QUEUE),
    found => found.length === 0,
  )
  expect(await archived(QUEUE)).toEqual([])
  const { items } = await bus.strangers.list({ domain: 'payments' })
  expect(items.toReversed()).toMatchObject([
    { queue: QUEUE, msgId: sent[0].msg_id, message: 'text', why: expect.stringMatching(/./) },
    { queue: QUEUE, msgId: sent[1].msg_id, message: { command_id: 7 }, why: expect.stringContaining('command_id') },
    {
      domain: 'payments',
      queue: QUEUE,
      msgId: sent[2].msg_id,
      reads: 0,
      message: JSON.parse(strays[2] as string),
      headers: null,
      why: `command ${ID} was never sent`,
      outcome: null,
      settledBy: null,
    },
  ])
  expect((await createStats(pool).read()).queues).toMatchObject([{ queue: QUEUE, depth: 0, strangers: 3 }])
  const metrics = createMetrics({ database: () => readDatabaseStats(pool), log: { warn: () => {} } as never })
  expect(await metrics.page([])).toContain(`commandbus_queue_strangers{queue="${QUEUE}"} 3`)
  // they were kept and counted, and the log is not damaged
  expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 3 })
})

test('F13: a message that cannot be kept at the moment stays on its queue, and the others are handled', async () => {
  const { pool, work, archived, messages, bus } = await withStrays()
  await pool.query(`
    create function refuse_to_keep() returns trigger language plpgsql as 'begin raise exception ''no room''; end';
    create trigger refuse_to_keep before insert on command_bus_stranger execute function refuse_to_keep()`)
  await work({ domain: 'payments', handlers: { Charge: () => null } })
  const handled = await bus.send('payments', 'Charge', {})
  await until(
    () => bus.getCommand('payments', handled.commandId),
    command => command?.status === 'COMPLETED',
  )
  // handed back uncounted, for later
  const left = await until(
    () => messages(QUEUE),
    found => found.length === strays.length && found.every(({ read_ct }) => read_ct === 0),
  )
  expect(left.map(({ message }) => message)).toEqual(strays.map(stray => JSON.parse(stray)))
  expect(await archived(QUEUE)).toEqual([])
  expect((await pool.query('select from command_bus_stranger')).rowCount).toBe(0)
})
