import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

const script = fileURLToPath(new URL('./batch-child.mjs', import.meta.url))
const TOTAL = 6_000
const IDS = '0192d3a4-0000-7000-8000-'

test('a process that is killed between two chunks of a batch leaves whole chunks; sent again, each command is there once', async () => {
  const { bus, pool, database, until } = await createTestBus()
  await bus.send('other', 'Charge', {})
  // the statement after some 2,000 commands does not come to its end
  await pool.query(`
    create function wait_after_2000() returns trigger language plpgsql as $$
    begin
      if (select count(*) from command_bus_event) > 2001 then perform pg_sleep(60); end if;
      return null;
    end $$;
    create trigger wait_after_2000 after insert on command_bus_event for each statement execute function wait_after_2000()`)
  const child = spawn(process.execPath, [script, compiledSource(), database.url, String(TOTAL), IDS], {
    stdio: 'inherit',
  })
  const gone = once(child, 'exit')
  const waiting = `from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`
  const stored = async (): Promise<number> =>
    (await pool.query(`select count(*)::int as n from command_bus_command where domain = 'payments'`)).rows[0].n
  await until(
    async () => (await pool.query(`select ${waiting}`)).rowCount ?? 0,
    sleeps => sleeps > 0,
  )
  child.kill('SIGKILL')
  await gone
  // the server notices at the end of the statement only; one that waited for a lock of another sleeps only after that has ended
  await until(
    async () =>
      (
        await pool.query(`select pg_terminate_backend(pid, 60000) from pg_stat_activity
                          where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`)
      ).rowCount,
    left => left === 0,
  )
  await pool.query('drop trigger wait_after_2000 on command_bus_event')

  const before = await stored()
  // statements of 500 commands
  expect(before % 500).toBe(0)
  expect(before).toBeGreaterThanOrEqual(1_500)
  expect(before).toBeLessThan(TOTAL)
  const messages = async () => (await pool.query('select from pgmq.q_payments__commands')).rowCount
  expect(await messages()).toBe(before)
  const commands = Array.from({ length: TOTAL }, (_, i) => ({
    commandId: `${IDS}${String(i).padStart(12, '0')}`,
    commandType: 'Charge',
    data: { i },
  }))
  const results = await bus.sendBatch('payments', commands)
  expect(results.map(({ commandId }) => commandId)).toEqual(commands.map(({ commandId }) => commandId))
  expect(results.filter(({ outcome }) => outcome === 'duplicate')).toHaveLength(before)
  expect(results.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(TOTAL - before)
  expect([await stored(), await messages()]).toEqual([TOTAL, TOTAL])
  expect((await bus.maintenance.verifyLog()).findings).toEqual([])
})
