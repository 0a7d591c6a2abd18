import { expect, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'

const nothingIsArchived = `
  create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no space left'; end $$;
  create trigger refuse before insert on pgmq.a_payments__commands for each row execute function refuse()`

test('A29: a message that cannot be put away does not keep the worker from what it read with it', async () => {
  const { bus, pool, work, until } = await createTestBus()
  const { commandId } = await bus.send('payments', 'Charge', {})
  await pool.query(`select pgmq.send('payments__commands', '{"not": "ours"}')`)
  await pool.query(nothingIsArchived)
  // as many as it has slots: nothing more is read before these have begun
  await work({ domain: 'payments', concurrency: 2, handlers: { Charge: () => 'done' } })
  await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED',
  )
  expect((await bus.getCommand('payments', commandId))?.attempts).toBe(1)
})

test('A29: a command that cannot be read waits, uncounted, and leaves those read with it alone', async () => {
  const { bus, pool, work, until, messages } = await createTestBus()
  const unreadable = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
  const readable = await bus.sendBatch('payments', Array(3).fill({ commandType: 'Charge', data: {}, maxAttempts: 1 }))
  await pool.query(
    `insert into command_bus_event (stream, revision, id, type, data, meta, hash)
     select stream, 1, gen_random_uuid(), 'CommandOfALaterVersion', '{}', meta, '' from command_bus_event where stream = $1`,
    [`command-payments-${unreadable.commandId}`],
  )
  await work({ domain: 'payments', handlers: { Charge: () => 'done' } })
  for (const { commandId } of readable) {
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
  }
  const [waits] = await until(
    () => messages('payments__commands'),
    ([message]) => message?.read_ct === 0,
  )
  expect(waits?.message.command_id).toBe(unreadable.commandId)
})

test('A29: messages read while the log cannot be go back uncounted: no attempt is spent on what nobody began', async () => {
  const { bus, pool, work, until } = await createTestBus()
  const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
  await pool.query('alter table command_bus_event rename to hidden')
  const worker = await work({ domain: 'payments', leaseSeconds: 1, handlers: { Charge: () => 'done' } })
  await until(
    async () => worker.health(),
    health => health.status === 'degraded' && health.reasons[0]?.startsWith('the queue') === true,
  )
  await pool.query('alter table hidden rename to command_bus_event')
  const done = await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED' || c?.status === 'IN_TROUBLESHOOTING_QUEUE',
  )
  expect(done).toMatchObject({ status: 'COMPLETED', totalAttempts: 1 })
})
