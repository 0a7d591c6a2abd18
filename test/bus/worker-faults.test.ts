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
