import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { expect, test } from 'vitest'
import { createTestBus, type TestBus, until } from '../../support/bus.ts'

/** Somebody's open transaction, in which `sql` takes a lock. */
const locking = async ({ pool }: TestBus, sql: string): Promise<PoolClient> => {
  const client = await pool.connect()
  await client.query('begin')
  await client.query(sql)
  return client
}

const waitsForLock = ({ pool }: TestBus, what: string) =>
  until(
    async () =>
      (
        await pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
          [`%${what}%`],
        )
      ).rowCount,
    found => found === 1,
  )

test('F4: a command that waited for its receipt, or for its place in a lane, is not begun after the pause', async () => {
  const setup = await createTestBus()
  const { bus, another, pool, work } = setup
  await bus.lanes.set('mail', 'a', { width: 1, ratePerSecond: 1_000 })
  await pool.query(`insert into command_bus_lane_bucket values ('mail', 'a', 1000, now(), now())`)
  const begun: unknown[] = []
  await bus.send('mail', 'Bill', 'expires', { expiresInSeconds: 3_600 })
  const row = await locking(setup, 'select from command_bus_command for update')
  await work({ domain: 'mail', handlers: { Bill: data => void begun.push(data) } })
  await waitsForLock(setup, 'command_bus_commit')
  const bucket = await locking(setup, 'select from command_bus_lane_bucket for update')
  await bus.send('mail', 'Bill', 'in a lane', { key: 'a' })
  await waitsForLock(setup, 'command_bus_begin')

  const other = another()
  const { pauseId } = await other.pause({ domain: 'mail', commandType: 'Bill', reason: 'wrong prices' })
  await delay(1_000)
  for (const client of [row, bucket]) {
    await client.query('rollback')
    client.release()
  }
  await until(
    async () => ((await pool.query('select from command_bus_paused_message')).rowCount ?? 0) + begun.length,
    count => count === 2,
  )
  expect(begun).toEqual([])
  await other.resume(pauseId)
  const done = await until(
    async () => (await bus.queryCommands({ status: 'COMPLETED' })).items,
    ({ length }) => length === 2,
  )
  expect(done.map(({ attempts }) => attempts)).toEqual([1, 1])
  expect(await bus.maintenance.verify()).toEqual([])
})
