import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { admitLanes } from '../../../src/infrastructure/postgres/queue/lanes.ts'
import { createTestBus, type TestBus, until } from '../../support/bus.ts'
import { entriesOf, setLane, setLimit } from '../../support/flow/lanes.ts'

const states = async ({ pool }: TestBus) => (await entriesOf(pool)).map(({ state }) => state).join()

const sendKeyed = ({ another }: TestBus, count: number) =>
  // a sender that has not read the rules yet
  another().sendBatch(
    'jobs',
    Array.from({ length: count }, () => ({ commandType: 'Run', data: null, key: 'a' })),
  )

test('F5: a rule that a newcomer brings into a lane lets in those that wait there already', async () => {
  const setup = await createTestBus()
  const { bus } = setup
  await sendKeyed(setup, 3)
  expect(await states(setup)).toBe('admitted,waiting,waiting')
  await bus.limits.set('jobs', 'keys', { by: 'key', width: 3 })
  await sendKeyed(setup, 1)
  expect(await states(setup)).toBe('admitted,admitted,admitted,waiting')
  await sendKeyed(setup, 1)
  expect(await states(setup)).toBe('admitted,admitted,admitted,waiting,waiting')
})

test('F5: what a transaction with an old snapshot sent is let in also while workers always find something to read', async () => {
  const setup = await createTestBus()
  const { bus, pool, work } = setup
  const COUNT = 400
  let busy = 0
  await bus.sendBatch(
    'jobs',
    Array.from({ length: COUNT }, () => ({ commandType: 'Busy', data: null })),
  )
  const handlers = {
    Busy: async () => {
      busy++
      await delay(10)
    },
    Run: () => null,
  }
  await work({ domain: 'jobs', concurrency: 1, handlers })
  const client = await pool.connect()
  await client.query('begin isolation level serializable')
  const { commandId } = await bus.send('jobs', 'Run', null, { key: 'a', priority: 'high', client })
  await client.query('commit')
  client.release()
  await until(
    () => bus.getCommand('jobs', commandId),
    command => command?.status === 'COMPLETED',
  )
  expect(busy).toBeLessThan(COUNT)
})

test('F5: a lane is made narrower also when a queue with commands of it was dropped', async () => {
  const setup = await createTestBus()
  const { bus, pool } = setup
  await bus.lanes.set('jobs', 'a', { width: 2 })
  await bus.send('jobs', 'Run', null, { key: 'a' })
  await bus.send('jobs', 'Run', null, { key: 'a', priority: 'low' })
  await pool.query(`select pgmq.drop_queue('jobs__commands__low')`)
  expect(await bus.lanes.set('jobs', 'a', { width: 1 })).toMatchObject({ width: 1 })
})

test('F5: what lanes with a rate have used is forgotten when it says nothing any more', async () => {
  const setup = await createTestBus()
  const { bus, pool, work } = setup
  await setLimit(pool, 'jobs', 'keys', { by: 'key', rate: 1_000 })
  await setLane(pool, 'jobs', 'now', { rate: 0.01 })
  await pool.query(
    `insert into command_bus_lane_bucket (domain, lane, rate, next_at, begun_at)
     select domain, lane, 1, now() + after, now() + after from (
       select 'jobs', 'old ' || n, interval '-1 hour' from generate_series(1, 50) n
       union all select 'jobs', 'now', interval '1 hour' union all select 'other', 'old', interval '-1 hour') b(domain, lane, after)`,
  )
  const lanes = async () =>
    (await pool.query('select domain, lane from command_bus_lane_bucket order by domain, lane')).rows.map(
      ({ domain, lane }) => `${domain} ${lane}`,
    )
  await pool.query('alter table command_bus_lane_entry alter column place restart with 499')
  await work({ domain: 'jobs', handlers: { Run: () => null } })
  const run = async (key: string) => {
    const { commandId } = await bus.send('jobs', 'Run', null, { key })
    await until(
      () => bus.getCommand('jobs', commandId),
      command => command?.status === 'COMPLETED',
    )
  }
  await run('a')
  expect(await lanes()).toHaveLength(53)
  await run('b')
  expect(await lanes()).toEqual(['jobs a', 'jobs b', 'jobs now', 'other old'])
})

test('F5: a cancellation and a worker that reads the commands of lanes with a rate do not block each other', async () => {
  const setup = await createTestBus()
  const { bus, pool } = setup
  const ids: string[] = []
  for (const key of ['a', 'b']) {
    await setLane(pool, 'jobs', key, { rate: 1 })
    ids.push((await bus.send('jobs', 'Run', null, { key })).commandId)
  }
  await pool.query(
    `insert into command_bus_lane_bucket (domain, lane, rate, next_at, begun_at)
     select 'jobs', lane, 1, now() + interval '1 hour', now() from unnest('{a,b}'::text[]) lane`,
  )
  const waiting = (count: number) =>
    until(
      async () =>
        (
          await pool.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
        ).rowCount,
      found => found === count,
    )
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query(`select from command_bus_lane_bucket where lane = 'b' for update`)
  await pool.query(`select from command_bus_read('jobs__commands', 60, 2, null)`)
  const reader = await pool.connect()
  await reader.query(`set deadlock_timeout = '50ms'`)
  const begin = reader.query(`select command_bus_begin('jobs__commands', '{1,2}', '{1,1}', $1::uuid[])`, [ids])
  await waiting(1)
  const canceled = bus.cancel('jobs', ids[0] as string)
  await waiting(2)
  await holder.query('rollback')
  holder.release()
  expect((await begin.finally(() => reader.release(true))).rows).toEqual([])
  expect(await canceled).toMatchObject({ status: 'CANCELED' })
})

test('F5: of a million that wait for a rule that was removed, each transaction lets in a part', async () => {
  const { bus, pool } = await createTestBus()
  await bus.limits.set('jobs', 'all', { by: 'type', width: 1 })
  await pool.query(
    `insert into command_bus_lane_entry (domain, command_id, lane, limit_name, state, queue, msg_id)
     select 'jobs', gen_random_uuid(), 'all', 'all', 'waiting', 'q', n from generate_series(1, 6000) n`,
  )
  const waiting = async () =>
    (await pool.query(`select count(*)::int as n from command_bus_lane_entry where state = 'waiting'`)).rows[0].n
  await bus.limits.delete('jobs', 'all')
  expect(await waiting()).toBe(1_000)
  // as workers do
  await admitLanes(pool, 'jobs')
  expect(await waiting()).toBe(0)
  expect((await pool.query('select from command_bus_lane_check')).rowCount).toBe(0)
})

test('F5: a lane that is looked at again and again keeps the times that its rate has given', async () => {
  const { bus, pool, work } = await createTestBus()
  await bus.lanes.set('jobs', 'a', { width: 1, ratePerSecond: 2 })
  await work({ domain: 'jobs', handlers: { Run: () => null } })
  await bus.send('jobs', 'Run', null, { key: 'a' })
  const { commandId } = await bus.send('jobs', 'Run', null, { key: 'a' })
  const client = await pool.connect()
  let status: string | undefined
  for (let i = 0; i < 25 && status !== 'COMPLETED'; i++) {
    // cannot see the lane as it is, so that a worker has to look at it
    await client.query('begin isolation level serializable')
    await bus.send('jobs', 'Run', null, { key: 'a', client })
    await client.query('commit')
    await delay(150)
    status = (await bus.getCommand('jobs', commandId))?.status
  }
  client.release()
  expect(status).toBe('COMPLETED')
})
