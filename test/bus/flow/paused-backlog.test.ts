import type pg from 'pg'
import { expect, test } from 'vitest'
import type { CommandBus } from '../../../src/index.ts'
import { createTestBus, until } from '../../support/bus.ts'

const counted = async (pool: pg.Pool, from: string): Promise<number> =>
  (await pool.query(`select count(*)::int as n from ${from}`)).rows[0].n
const completed = (pool: pg.Pool) => counted(pool, `command_bus_command where status = 'COMPLETED'`)
const aside = (pool: pg.Pool) => counted(pool, 'command_bus_paused_message')
const send = (bus: CommandBus, commandType: string, n: number) =>
  bus.sendBatch(
    'mail',
    Array.from({ length: n }, (_, data) => ({ commandType, data })),
  )

test('F4: a long backlog of a paused type is put aside together, so that what is behind it goes on', async () => {
  const { bus, work, pool } = await createTestBus()
  const backlog = 3_000
  await send(bus, 'Bill', backlog)
  const { pauseId } = await bus.pause({ domain: 'mail', commandType: 'Bill', reason: 'x' })
  await send(bus, 'Send', 1)
  const worker = await work({ domain: 'mail', concurrency: 1, handlers: { '*': async () => null } })
  await until(
    () => completed(pool),
    n => n === 1,
  )
  await until(
    () => aside(pool),
    n => n === backlog,
  )
  await worker.stop()
  // pgmq notes reads
  const { rows } = await pool.query(
    `select count(last_read_at)::int as read, max(read_ct) as counted from pgmq.q_mail__commands`,
  )
  expect(rows[0].counted).toBe(0)
  expect(rows[0].read).toBeLessThan(backlog / 10)
  await bus.resume(pauseId)
  await work({ domain: 'mail', concurrency: 200, handlers: { '*': async () => null } })
  await until(
    () => aside(pool),
    n => n === 0,
  )
  await until(
    () => completed(pool),
    n => n > 500,
  )
})
