import { randomUUID } from 'node:crypto'
import pg, { type Pool, type PoolClient } from 'pg'
import { expect, test } from 'vitest'
import { createTestBus, type TestBus, until } from '../../support/bus.ts'
import { entriesOf, setLane, setLimit } from '../../support/flow/lanes.ts'

const inTransaction = async (pool: Pool, begin: string, work: (client: PoolClient) => Promise<unknown>) => {
  const client = await pool.connect()
  await client.query(begin)
  return {
    work: await work(client),
    end: async (how: 'commit' | 'rollback') => {
      await client.query(how)
      client.release()
    },
  }
}

const completed = ({ bus }: TestBus, commandId: string) =>
  until(
    () => bus.getCommand('jobs', commandId),
    command => command?.status === 'COMPLETED',
  )

test("F5: a caller's open transaction holds its own lane; all others go on", async () => {
  const test = await createTestBus()
  const { bus, work, pool } = test
  await work({ domain: 'jobs', handlers: { Run: () => null } })
  const open = await inTransaction(pool, 'begin', client => bus.send('jobs', 'Run', { n: 1 }, { key: 'held', client }))
  // it and those of other lanes are sent at the same moment
  const held = bus.send('jobs', 'Run', { n: 2 }, { key: 'held' })
  let isSent = false
  void held.then(() => {
    isSent = true
  })
  const others = await Promise.all(
    Array.from({ length: 20 }, (_, n) => bus.send('jobs', 'Run', null, n % 2 === 0 ? { key: `k${n}` } : {})),
  )
  for (const { commandId } of others) await completed(test, commandId)
  const batch = await bus.sendBatch('jobs', [{ commandType: 'Run', data: null, key: 'free' }])
  await completed(test, batch[0]?.commandId as string)
  expect(isSent).toBe(false)
  await open.end('commit')
  await completed(test, (await held).commandId)
  const { rows } = await pool.query(
    `select e.data->'data'->'n' as n from command_bus_event e where e.type = 'CommandSent' and e.data->>'lane' = 'held' order by e.position`,
  )
  expect(rows.map(({ n }) => n)).toEqual([1, 2])
})

test('F5: a transaction that is rolled back leaves nothing in its lane', async () => {
  const test = await createTestBus()
  const { bus, work, pool } = test
  const open = await inTransaction(pool, 'begin', client => bus.send('jobs', 'Run', null, { key: 'a', client }))
  await open.end('rollback')
  expect(await entriesOf(pool)).toEqual([])
  const { commandId } = await bus.send('jobs', 'Run', null, { key: 'a' })
  await work({ domain: 'jobs', handlers: { Run: () => null } })
  await completed(test, commandId)
})

test('F5: a transaction with an old snapshot may send: workers let its command run in its turn', async () => {
  const test = await createTestBus()
  const { bus, work, pool } = test
  const first = await bus.send('jobs', 'Run', null, { key: 'a' })
  const open = await inTransaction(pool, 'begin isolation level serializable', async client => {
    // from now on it sees the lane as it is here
    await client.query('select count(*) from command_bus_lane_entry')
    await bus.cancel('jobs', first.commandId)
    const running = await bus.send('jobs', 'Run', null, { key: 'a' })
    return [running, await bus.send('jobs', 'Run', null, { key: 'a', client })] as const
  })
  await open.end('commit')
  expect((await entriesOf(pool)).map(({ state }) => state)).toEqual(['admitted', 'waiting'])
  await work({ domain: 'jobs', handlers: { Run: () => null } })
  for (const { commandId } of open.work as readonly { readonly commandId: string }[]) await completed(test, commandId)
  expect(await entriesOf(pool)).toEqual([])
  expect((await pool.query('select from command_bus_lane_check')).rowCount).toBe(0)
})

test('F5: a transactional handler ends its command in its own transaction, and the next of its lane runs', async () => {
  const test = await createTestBus()
  const { bus, work, pool } = test
  await pool.query('create table seen (n int)')
  await bus.sendBatch(
    'jobs',
    Array.from({ length: 5 }, (_, n) => ({ commandType: 'Run', data: { n }, key: 'a' })),
  )
  await work({
    domain: 'jobs',
    handlers: {
      Run: {
        transactional: true,
        handle: async (data, { client }) => {
          await client.query('insert into seen values ($1)', [(data as { n: number }).n])
        },
      },
    },
  })
  await until(
    () => entriesOf(pool),
    left => left.length === 0,
  )
  expect((await pool.query('select n from seen')).rows.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4])
})

test('F9: commands without a lane touch no table of lanes, when they are sent, run, and read', async () => {
  const { bus, work, pool, database } = await createTestBus()
  const setup = new pg.Pool({ connectionString: database.url, max: 1 })
  await setLane(setup, 'jobs', 'a', {})
  await setLimit(setup, 'other', 'all', { by: 'type' })
  await setup.query('delete from command_bus_lane_check')
  await setup.end()
  // sessions add what they have done when they end
  const touched = async () =>
    (
      await pool.query(
        `select relname, (seq_scan + coalesce(idx_scan, 0))::int as scans, (n_tup_ins + n_tup_upd + n_tup_del)::int as writes
         from pg_stat_user_tables where relname in ('command_bus_lane', 'command_bus_lane_entry', 'command_bus_lane_bucket')
         order by relname`,
      )
    ).rows
  const before = await until(touched, rows => rows.some(({ writes }) => writes > 0))
  const worker = await work({ domain: 'jobs', handlers: { Run: () => null } })
  const ids = Array.from({ length: 200 }, () => randomUUID())
  await Promise.all(ids.slice(0, 100).map(commandId => bus.send('jobs', 'Run', null, { commandId })))
  await bus.sendBatch(
    'jobs',
    ids.slice(100).map(commandId => ({ commandId, commandType: 'Run', data: null })),
  )
  for (const commandId of ids) {
    await until(
      () => bus.getCommand('jobs', commandId),
      c => c?.status === 'COMPLETED',
    )
  }
  await worker.stop()
  await bus.close()
  await until(
    async () =>
      (
        await pool.query(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and backend_type = 'client backend'`,
        )
      ).rows[0].n,
    // only those of this test's own pool
    n => n <= pool.totalCount,
  )
  expect(await touched()).toEqual(before)
  const { rows } = await pool.query(
    `select n_tup_ins::int as n from pg_stat_user_tables where relname = 'command_bus_event'`,
  )
  expect(rows[0].n).toBeGreaterThanOrEqual(400)
})
