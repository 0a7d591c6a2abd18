import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { createCommandBus } from '../../src/index.ts'
import { createTestDatabase, type TestDatabase, usersPool } from '../support/database.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const openDatabase = async (): Promise<TestDatabase> => {
  const database = await createTestDatabase()
  cleanUps.push(() => database.drop())
  return database
}

/** A pool as the user's program may have it. */
const userPool = (database: TestDatabase, more: pg.PoolConfig = {}): pg.Pool => {
  const pool = usersPool({ connectionString: database.url, max: 6, ...more })
  cleanUps.push(() => pool.end())
  return pool
}

/** A command that fails permanently, is retried, and completes: its history, audit and lists are read. */
const liveThrough = async (pool: pg.Pool): Promise<void> => {
  const bus = createCommandBus({ pool })
  cleanUps.push(() => bus.close())
  let calls = 0
  await bus
    .worker({
      domain: 'shop',
      pollMs: 20,
      handlers: {
        Buy: () => {
          calls++
          if (calls === 1) throw Object.assign(new Error('not today'), { code: 'CLOSED' })
          return { bought: true }
        },
      },
    })
    .start()
  const client = await pool.connect()
  await client.query('begin')
  const { commandId } = await bus.send('shop', 'Buy', { n: 1 }, { client, maxAttempts: 1, replyTo: 'shop__replies' })
  await client.query('commit')
  client.release()
  await until(async () => (await bus.troubleshooting.list({ domain: 'shop' })).total === 1)
  const { items } = await bus.troubleshooting.list({ domain: 'shop' })
  expect(items[0]?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(Math.abs(Date.now() - Date.parse(items[0]?.createdAt ?? ''))).toBeLessThan(600_000)
  await bus.troubleshooting.retry('shop', commandId, { operator: 'jane' })
  await until(async () => (await bus.getCommand('shop', commandId))?.status === 'COMPLETED')
  const trail = await bus.getAuditTrail('shop', commandId)
  expect(trail.map(entry => entry.eventType)).toEqual([
    'SENT',
    'RECEIVED',
    'MOVED_TO_TROUBLESHOOTING_QUEUE',
    'OPERATOR_RETRY',
    'RECEIVED',
    'COMPLETED',
  ])
  expect((await bus.getHistory('shop', commandId)).items.length).toBeGreaterThan(3)
  expect((await bus.troubleshooting.groups({ domain: 'shop' })).length).toBe(0)
  expect(await bus.maintenance.verify()).toEqual([])
  expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  expect((await bus.maintenance.rebuild()).commands).toBe(1)
}

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 20))
}

describe('R1: what a process has set for pg', () => {
  it('R1: type parsers that others have set change nothing, and other processes can read what was written', async () => {
    const database = await openDatabase()
    const { builtins } = pg.types
    const taken = [builtins.INT8, builtins.JSONB, builtins.TIMESTAMPTZ, builtins.BOOL, builtins.INT4, builtins.FLOAT8]
    const before = taken.map(oid => [oid, pg.types.getTypeParser(oid)] as const)
    cleanUps.push(() => {
      for (const [oid, parse] of before) pg.types.setTypeParser(oid, parse)
    })
    for (const oid of taken) pg.types.setTypeParser(oid, text => ({ parsedBy: 'somebody else', text }))
    pg.types.setTypeParser(builtins.INT8, Number)
    await liveThrough(userPool(database))
    const { rows } = await database.pool.query<{ kind: string }>(
      `select distinct jsonb_typeof(data->'msgId') as kind from command_bus_event where data ? 'msgId'`,
    )
    expect(rows).toEqual([{ kind: 'string' }])
  })

  it('R1: type parsers of one pool alone change nothing', async () => {
    const database = await openDatabase()
    await liveThrough(userPool(database, { types: { getTypeParser: () => () => 'nonsense' } as never }))
  })
})

describe('R1: what the role has set for its session', () => {
  const settings: readonly (readonly [string, string])[] = [
    ['DateStyle', `'German'`],
    ['DateStyle', `'SQL, DMY'`],
    ['TimeZone', `'Asia/Kathmandu'`],
    ['IntervalStyle', `'sql_standard'`],
    ['bytea_output', `'escape'`],
    ['extra_float_digits', '-5'],
    ['search_path', `'pg_catalog'`],
    ['default_transaction_isolation', `'repeatable read'`],
    ['array_nulls', 'off'],
    ['standard_conforming_strings', 'off'],
    ['backslash_quote', 'off'],
    ['transform_null_equals', 'on'],
  ]
  it.each(settings)('R1: %s = %s changes nothing', async (name, value) => {
    const database = await openDatabase()
    const { pathname } = new URL(database.url)
    await database.pool.query(`alter database ${pg.escapeIdentifier(pathname.slice(1))} set ${name} = ${value}`)
    await liveThrough(userPool(database))
  })
})

describe('R2: a pool of the user', () => {
  it('R2: works with a separate password, as a text or a function, also for connections that the bus adds', async () => {
    const database = await openDatabase()
    const { hostname, port, username, password, pathname } = new URL(database.url)
    const parts = { host: hostname, port: Number(port), user: username, database: pathname.slice(1) }
    const secret = decodeURIComponent(password)
    for (const given of [secret, async () => secret]) {
      const pool = usersPool({ ...parts, password: given })
      const bus = createCommandBus({ pool })
      const worker = bus.worker({
        domain: 'slow',
        leaseSeconds: 1,
        // longer than its lease: without heartbeats it would run twice
        handlers: { Wait: () => new Promise(resolve => setTimeout(resolve, 2_500)) },
      })
      await worker.start()
      const { commandId } = await bus.send('slow', 'Wait', {})
      await until(async () => (await bus.getCommand('slow', commandId))?.status === 'COMPLETED')
      expect((await bus.getCommand('slow', commandId))?.totalAttempts).toBe(1)
      expect(worker.health().reasons.filter(reason => reason.includes('leases'))).toEqual([])
      await bus.close()
      await pool.end()
    }
  })

  it('R2: stays the user’s: its broken connections do not end the process, and it still works after the bus is closed', async () => {
    const database = await openDatabase()
    const pool = userPool(database)
    const bus = createCommandBus({ pool })
    await bus.send('shop', 'Buy', {})
    await database.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await until(async () => pool.idleCount === 0)
    await bus.send('shop', 'Buy', {})
    await bus.close()
    expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    expect(pool.listenerCount('error')).toBe(0)
  })

  it('R2: a value that is not a pool, and a pool with binary values, is refused in one sentence', () => {
    expect(() => createCommandBus({ pool: {} as never })).toThrow(/pool: must be a `pg.Pool`/)
    const pool = new pg.Pool({ binary: true } as pg.PoolConfig)
    expect(() => createCommandBus({ pool })).toThrow(/pool: must not have `binary: true`/)
  })
})
