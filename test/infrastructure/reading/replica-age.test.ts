import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createReplica } from '../../../src/infrastructure/postgres/replica/replica.ts'
import { createPool } from '../../../src/infrastructure/postgres/transactions/pool.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** What the server, which accepts writes, says as its own standby: how far it is, in SQL; null: it gives no answer. */
let replayed: string | null
let lookPool: ReturnType<typeof createPool>
beforeEach(() => {
  replayed = 'pg_current_wal_lsn()'
  lookPool = createPool(database.url, 1)
})
afterEach(async () => {
  vi.useRealTimers()
  await lookPool.end()
})

const asked = (pool: typeof lookPool, query: (text: string) => unknown) =>
  new Proxy(pool, { get: (on, name) => (name === 'query' ? query : Reflect.get(on, name)) })

const replicaOf = (primary = database.pool, warned: object[] = []) => {
  const standby = asked(lookPool, text =>
    replayed === null
      ? new Promise(() => {})
      : lookPool.query(text.replace('pg_last_wal_replay_lsn()', replayed).replace('pg_is_in_recovery()', 'true')),
  )
  const log = { ...silentLog, warn: (facts: object) => void warned.push(facts) }
  return createReplica({ primary, pool: standby, lookPool: standby, maxLagMs: 1_000, log })
}

const withFakeTime = () => vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })

test('what a look found is used no longer than its age is allowed, also while the next look gets no answer', async () => {
  withFakeTime()
  const replica = replicaOf()
  const read = () =>
    replica.read(
      async () => 'replica',
      async () => 'primary',
    )
  await replica.begin()
  expect(replica.health()).toMatchObject({ state: 'used', reason: null })
  expect(await read()).toBe('replica')
  replayed = null
  await vi.advanceTimersByTimeAsync(990)
  expect(await read()).toBe('replica')
  await vi.advanceTimersByTimeAsync(20)
  expect(await read()).toBe('primary')
  // it has not been looked at since, so nothing else says that it is late
  expect(replica.health().state).toBe('used')
})

test('a replica that is a little behind at the first call of a bus is not late because the bus is old', async () => {
  withFakeTime()
  const warned: object[] = []
  const replica = replicaOf(database.pool, warned)
  await vi.advanceTimersByTimeAsync(60_000)
  replayed = "'0/1'::pg_lsn"
  await replica.begin()
  expect([replica.health().state, warned]).toEqual(['starting', []])
  await replica.stop()
})

test('a replica that has what the primary never wrote is refused, until it has been rewound', async () => {
  // as after a failover to another standby, which was behind this one
  const replica = replicaOf()
  const look = async () => {
    await replica.begin()
    return replica.health().state
  }
  const { rows } = await database.pool.query(`select (pg_current_wal_lsn() + 1000000)::text as lsn`)
  replayed = `'${rows[0].lsn}'::pg_lsn`
  expect(await look()).toBe('refused')
  expect(replica.health().reason).toMatch('what the primary has not')
  // the primary writes on, past the place where the two parted
  await database.pool.query('create table filler as select repeat(md5(i::text), 30) from generate_series(1, 5000) i')
  expect(await look()).toBe('refused')
  replayed = "'0/1'::pg_lsn"
  await look()
  replayed = 'pg_current_wal_lsn()'
  expect(await look()).toBe('used')
  await replica.stop()
})

test('while the primary does not say how far it is, that is the reason, and not that the replica is late', async () => {
  const warned: object[] = []
  const replica = replicaOf(
    asked(database.pool, () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))),
    warned,
  )
  withFakeTime()
  await replica.begin()
  await vi.advanceTimersByTimeAsync(1_100)
  await replica.begin()
  expect(replica.health()).toMatchObject({
    state: 'late',
    reason: expect.stringMatching('the primary does not say how far it is: the database cannot be reached'),
  })
  await replica.stop()
})
