import { expect, test } from 'vitest'
import type { StatsReader } from '../../../src/application/ports/reading/stats.ts'
import { NO_TENANT } from '../../../src/application/shared/scope.ts'
import { BusinessRuleError, PermanentCommandError } from '../../../src/index.ts'
import { feedCheck, readDatabaseStats } from '../../../src/infrastructure/postgres/stats/database-stats.ts'
import { createStats } from '../../../src/infrastructure/postgres/stats/stats.ts'
import { createTestBus, logIsSeparate, signal, type TestBus } from '../../support/bus.ts'
import { isParked } from '../../support/park.ts'

const handlers = {
  Fine: () => null,
  Refused: () => {
    throw new BusinessRuleError('NO_FUNDS', 'no funds')
  },
  Broken: () => {
    throw new PermanentCommandError('BROKEN', 'broken')
  },
}

/** The counts from the rows themselves. */
const counted = async ({ pool }: TestBus, tenant?: string) => {
  const { rows } = await pool.query(
    `select domain, status, count(*)::int as count from command_bus_command
     where $1::text is null or tenant_id = $1 group by domain, status order by domain, status`,
    [tenant ?? null],
  )
  return rows
}

const told = async (stats: StatsReader, tenantId?: string) => {
  const { domains } = await stats.read(tenantId === undefined ? {} : { tenantId })
  return domains.flatMap(({ domain, oldestPending: _, ...counts }) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([status, count]) => ({ domain, status, count }))
      .sort((a, b) => (a.status < b.status ? -1 : 1)),
  )
}

/** Sends commands of two tenants in two domains that end in every way; resolves when all have ended. */
const someLives = async (test: TestBus): Promise<void> => {
  const { bus, work, until, pool } = test
  await work({ domain: 'payments', handlers, concurrency: 20 })
  await work({ domain: 'billing', handlers, concurrency: 20 })
  const types = ['Fine', 'Fine', 'Fine', 'Refused', 'Broken'] as const
  const sends = Array.from({ length: 60 }, (_, i) =>
    bus.send(i % 2 === 0 ? 'payments' : 'billing', types[i % 5] as string, {}, { tenantId: i % 3 === 0 ? 't1' : 't2' }),
  )
  const sent = await Promise.all(sends)
  await until(
    () => pool.query("select 1 from command_bus_command where status in ('PENDING', 'IN_PROGRESS')"),
    ({ rowCount }) => rowCount === 0,
  )
  const parked = (await bus.troubleshooting.list()).items
  for (const [i, { domain, commandId }] of parked.entries()) {
    if (i % 3 === 0) await bus.troubleshooting.cancel(domain, commandId, { operator: 'jane', reason: 'no' })
    if (i % 3 === 1) await bus.troubleshooting.complete(domain, commandId, { operator: 'jane' })
  }
  expect(sent).toHaveLength(60)
}

/** Expects each of them to agree with the rows; an answer may be a moment old. */
const agree = async (testBus: TestBus, readers: readonly StatsReader[]): Promise<void> => {
  for (const stats of readers) {
    const deadline = performance.now() + 10_000
    const [seen, rows] = await testBus.until(
      async () => [await told(stats), await counted(testBus)],
      ([seen, rows]) => JSON.stringify(seen) === JSON.stringify(rows) || performance.now() > deadline,
    )
    expect(seen).toEqual(rows)
  }
}

test('counts by status and domain are those of the rows, before and after further commands', async () => {
  const testBus = await createTestBus()
  const early = createStats(testBus.pool)
  expect(await told(early)).toEqual([])
  await someLives(testBus)
  const late = createStats(testBus.pool)
  await agree(testBus, [early, late])
  const { commandId } = await testBus.bus.send('shipping', 'Ship', {}, { tenantId: 't1' })
  await testBus.bus.cancel('shipping', commandId)
  await someLives(testBus)
  await testBus.bus.send('shipping', 'Ship', {})
  await agree(testBus, [early, late])
})

test('a tenant sees the counts of its own commands, and no queues', async () => {
  const testBus = await createTestBus()
  await someLives(testBus)
  const stats = createStats(testBus.pool)
  expect(await told(stats, 't1')).toEqual(await counted(testBus, 't1'))
  expect(await told(stats, 'nobody')).toEqual([])
  const { throughput, queues } = await stats.read({ tenantId: 't1' })
  expect(throughput.reduce((sum, { sent }) => sum + sent, 0)).toBe(20)
  expect(queues).toEqual([])
})

test('an older open transaction hides no command and counts none twice', async () => {
  const testBus = await createTestBus()
  const { bus, pool } = testBus
  const first = createStats(pool)
  await first.read()
  const client = await pool.connect()
  await client.query('begin')
  if (logIsSeparate) await client.query('select pg_current_xact_id()')
  else await bus.send('payments', 'Fine', {}, { client })
  await someLives(testBus)

  // begun while events are held back, and before they were
  const second = createStats(pool)
  const seen = await second.read()
  expect(seen.feed.heldBack).toBeGreaterThan(100)
  expect(seen.feed.lagSeconds).toBeGreaterThan(0)
  expect(seen.feed.oldestWriterSeconds).toBeGreaterThanOrEqual(seen.feed.lagSeconds)
  await agree(testBus, [first, second])
  await client.query('commit')
  client.release()
  await agree(testBus, [first, second, createStats(pool)])
})

test('G3: a tenant sees only its own among the events that are held back', async () => {
  const { bus, pool, until } = await createTestBus()
  await bus.ready()
  const client = await pool.connect()
  await client.query('begin')
  await client.query('select pg_current_xact_id()')
  await bus.sendBatch(
    'payments',
    ['t1', 't1', 't1', undefined].map(tenantId => ({
      commandType: 'Fine',
      data: null,
      ...(tenantId === undefined ? {} : { tenantId }),
    })),
  )
  const stats = createStats(pool)
  const held = async (scope: { readonly tenantId?: string }) => (await stats.read(scope)).feed
  await until(
    () => held({}),
    ({ heldBack }) => heldBack === 4,
  )
  expect((await held({ tenantId: 't1' })).heldBack).toBe(3)
  expect((await held({ tenantId: NO_TENANT })).heldBack).toBe(1)
  expect(await held({ tenantId: 't2' })).toMatchObject({ heldBack: 0, lagSeconds: 0 })
  await client.query('commit')
  client.release()
})

test('throughput has each of the last 15 minutes', async () => {
  const testBus = await createTestBus()
  const early = createStats(testBus.pool)
  await early.read()
  await someLives(testBus)
  for (const stats of [early, createStats(testBus.pool)]) {
    const { throughput } = await testBus.until(
      () => stats.read(),
      ({ total }) => total.COMPLETED === 40,
    )
    expect(throughput).toHaveLength(15)
    const minutes = throughput.map(({ minute }) => Date.parse(minute))
    minutes.slice(1).forEach((minute, i) => {
      expect(minute - (minutes[i] as number)).toBe(60_000)
    })
    const sum = (of: 'sent' | 'completed' | 'failed' | 'parked') => throughput.reduce((all, one) => all + one[of], 0)
    expect([sum('sent'), sum('completed'), sum('failed'), sum('parked')]).toEqual([60, 40, 12, 12])
  }
})

test('the oldest pending command of each domain, and the queues', async () => {
  const { bus, pool } = await createTestBus()
  const { commandId } = await bus.send('payments', 'Fine', {})
  await bus.send('payments', 'Fine', {})
  const created = (await bus.getCommand('payments', commandId))?.createdAt
  const { domains, queues, total, oldestTransactionSeconds } = await createStats(pool).read()
  expect(domains).toMatchObject([{ domain: 'payments', PENDING: 2, oldestPending: { createdAt: created } }])
  expect(total).toMatchObject({ PENDING: 2, COMPLETED: 0 })
  expect(queues).toMatchObject([{ queue: 'payments__commands', depth: 2, visible: 2, total: 2 }])
  expect(oldestTransactionSeconds).toBeLessThan(5)
})

test('the stats of a scrape: queues, parked commands by domain, open transactions', async () => {
  const testBus = await createTestBus()
  const { bus, pool, work, until } = testBus
  const { commandId } = await bus.send('payments', 'Broken', {})
  await bus.send('billing', 'Fine', {})
  await work({ domain: 'payments', handlers })
  await until(() => bus.getCommand('payments', commandId), isParked)
  const client = await pool.connect()
  await client.query('begin')
  await client.query('select pg_current_xact_id()')
  const stats = await until(
    () => readDatabaseStats(pool),
    ({ feed }) => feed.oldestWriterSeconds > 0,
  )
  await client.query('rollback')
  client.release()
  expect(stats.parked).toEqual([{ domain: 'payments', count: 1 }])
  expect(stats.queues.find(({ queue }) => queue === 'billing__commands')).toMatchObject({ depth: 1, visible: 1 })
  expect(stats.oldestTransactionSeconds).toBeGreaterThan(0)
})

test('the check of the feed is healthy while readers keep up', async () => {
  const { bus, pool } = await createTestBus()
  await bus.send('payments', 'Fine', {})
  expect(await feedCheck(pool)).toMatchObject({ status: 'healthy', reasons: [] })
})

test('calls at the same moment share one answer', async () => {
  const { pool } = await createTestBus()
  const asked = signal()
  let queries = 0
  const counting = new Proxy(pool, {
    get: (target, name) => {
      if (name !== 'query') return Reflect.get(target, name)
      return (...args: Parameters<typeof pool.query>) => {
        queries++
        asked.resolve()
        return target.query(...args)
      }
    },
  })
  const stats = createStats(counting)
  const first = stats.read()
  await asked.promise
  const all = await Promise.all([first, stats.read(), stats.read()])
  const once = queries
  expect(new Set(all).size).toBe(1)
  expect(once).toBeLessThan(10)
})
