import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { BusinessRuleError, PermanentCommandError, TransientCommandError } from '../../../src/index.ts'
import {
  countFigures,
  forgetFigures,
  sampleQueues,
} from '../../../src/infrastructure/postgres/figures/count-figures.ts'
import { createTestBus, logIsSeparate, type TestBus } from '../../support/bus.ts'
import { compiledSource } from '../../support/servers/compiled.ts'
import { countAll, countByHand, figuresOf } from '../../support/watching/counted-by-hand.ts'

const script = fileURLToPath(new URL('./figures-child.mjs', import.meta.url))
const COMMANDS = 200

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const handlers = {
  Fine: () => null,
  Slow: () => new Promise(resolve => setTimeout(resolve, 40)),
  Shaky: (_: unknown, { attempt }: { readonly attempt: number }) => {
    if (attempt === 1) throw new TransientCommandError('UPSTREAM_503', 'try later')
    return null
  },
  Refused: () => {
    throw new BusinessRuleError('NO_FUNDS', 'no funds')
  },
  Broken: () => {
    throw new PermanentCommandError('BROKEN', 'broken')
  },
}
const types = Object.keys(handlers)

/** Commands of every type and end; resolves when all have ended, some by an operator. */
const someLives = async ({ bus, work, until, pool }: TestBus, count = 60): Promise<void> => {
  await work({ domain: 'payments', handlers, concurrency: 20 })
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      bus.send(
        'payments',
        types[i % types.length] as string,
        {},
        { backoffSeconds: [0.01], ...(i % 3 === 0 ? { tenantId: 't1' } : {}) },
      ),
    ),
  )
  const { commandId } = await bus.send('payments', 'Fine', {}, { delaySeconds: 3_600 })
  await bus.cancel('payments', commandId)
  await until(
    () => pool.query("select 1 from command_bus_command where status in ('PENDING', 'IN_PROGRESS')"),
    ({ rowCount }) => rowCount === 0,
  )
  for (const [i, parked] of (await bus.troubleshooting.list()).items.entries()) {
    const { domain, commandId } = parked
    if (i % 3 === 0) await bus.troubleshooting.cancel(domain, commandId, { operator: 'jane', reason: 'no' })
    if (i % 3 === 1) await bus.troubleshooting.complete(domain, commandId, { operator: 'jane' })
    if (i % 3 === 2) await bus.troubleshooting.retry(domain, commandId, { operator: 'jane' })
  }
  await until(
    () => pool.query("select 1 from command_bus_command where status in ('PENDING', 'IN_PROGRESS')"),
    ({ rowCount }) => rowCount === 0,
  )
}

test('O8: figures are those of an independent count of the log, event by event', async () => {
  const testBus = await createTestBus()
  // others count beside it
  const stop = new AbortController()
  const counting = [testBus.another(), testBus.another()].map(bus => bus.figures.count(stop.signal))
  await someLives(testBus)
  await countAll(testBus.pool, 7)
  stop.abort()
  await Promise.all(counting)
  expect(await figuresOf(testBus.pool)).toEqual(await countByHand(testBus.pool))
  const { items } = await testBus.bus.figures.types()
  const fine = items.find(({ commandType }) => commandType === 'Fine')
  expect(fine).toMatchObject({ sent: 13, completed: 12, canceled: 1, failureShare: 0, waiting: 0 })
  expect(items.find(({ commandType }) => commandType === 'Shaky')).toMatchObject({
    attempts: 24,
    completed: 12,
    failureShare: 0.5,
    errors: [{ code: 'UPSTREAM_503', count: 12 }],
  })
  const slow = items.find(({ commandType }) => commandType === 'Slow')
  expect(slow?.run.p50Ms).toBeGreaterThan(30)
  expect(items.find(({ commandType }) => commandType === 'Broken')?.lastSuccessAt).toBeNull()
})

// elsewhere the command of a transaction comes into the log later, by the relay
test.skipIf(logIsSeparate)('O8: what a late transaction has written is counted, and once', async () => {
  const testBus = await createTestBus()
  const { bus, pool } = testBus
  const late = await pool.connect()
  await late.query('begin')
  await bus.send('payments', 'Late', {}, { client: late })
  await bus.send('payments', 'Early', {})
  await countFigures(pool, 1_000)
  expect(await figuresOf(pool)).toEqual([])
  await late.query('commit')
  late.release()
  await countAll(testBus.pool, 7)
  await countAll(testBus.pool, 7)
  expect(await figuresOf(pool)).toEqual(await countByHand(pool))
  expect((await bus.figures.types()).items.map(({ commandType, sent }) => [commandType, sent])).toEqual([
    ['Early', 1],
    ['Late', 1],
  ])
})

test('O8: a process that counts is killed again and again: nothing is counted twice or never', async () => {
  const testBus = await createTestBus()
  const { bus, database, log, pool, until } = testBus
  await bus.sendBatch(
    'payments',
    Array.from({ length: COMMANDS }, (_, i) => ({ commandType: `T${i % 3}`, data: { i } })),
  )
  const counted = async (): Promise<number> =>
    Number(
      (await pool.query('select coalesce(sum(sent), 0) as n from command_bus_type_figure where seconds = 60')).rows[0]
        .n,
    )
  for (let seen = 0, kills = 0; kills < 2; kills++) {
    const child = spawn(process.execPath, [script, compiledSource(), database.url, JSON.stringify(log)], {
      stdio: 'inherit',
    })
    children.push(child)
    seen = await until(counted, n => n > seen || n === COMMANDS)
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  const done = await counted()
  expect(done).toBeLessThanOrEqual(COMMANDS)
  await countAll(testBus.pool, 7)
  expect(await figuresOf(pool)).toEqual(await countByHand(pool))
})

test('O8: codes with an id in each stay few: beyond a hundred of a type in a bucket they are counted together', async () => {
  const testBus = await createTestBus()
  const { bus, pool, work, until } = testBus
  await bus.sendBatch(
    'payments',
    Array.from({ length: 130 }, (_, i) => ({ commandType: 'Charge', data: i })),
  )
  await work({
    domain: 'payments',
    concurrency: 50,
    handlers: {
      Charge: i => {
        throw new PermanentCommandError(`DECLINED-${i}`, 'declined')
      },
    },
  })
  await until(
    () => bus.troubleshooting.list({ limit: 1 }),
    ({ total }) => total === 130,
  )
  await countAll(pool, 60)
  const { rows } = await pool.query(
    `select seconds, sum(parked)::int as parked, count(*)::int as rows, count(distinct bucket)::int as buckets
     from command_bus_error_figure group by seconds order by seconds`,
  )
  expect(rows.map(({ seconds, parked }) => [seconds, parked])).toEqual([60, 900, 7_200].map(seconds => [seconds, 130]))
  for (const { rows: count, buckets } of rows) expect(count).toBeLessThanOrEqual(101 * buckets)
  const { items } = await bus.figures.types()
  expect(items[0]?.parked).toBe(130)
})

test('O8: counting begins seven days back at the most, and what is older than that is forgotten', async () => {
  const testBus = await createTestBus()
  const { bus, pool } = testBus
  await bus.send('payments', 'Old', {})
  await bus.send('payments', 'New', {})
  const old = await pool.connect()
  await old.query('set session_replication_role = replica')
  await old.query(
    `update command_bus_event set recorded = recorded - interval '8 days' where meta#>>'{context,commandType}' = 'Old'`,
  )
  old.release(true)
  await countAll(testBus.pool, 7)
  const typesKept = async () =>
    (await pool.query('select distinct command_type from command_bus_type_figure order by 1')).rows.map(
      row => row.command_type,
    )
  expect(await typesKept()).toEqual(['New'])
  await sampleQueues(pool, pool)
  await pool.query(
    `insert into command_bus_type_figure select seconds, bucket - interval '25 hours', domain, 'Yesterday', of_tenant, sent, begun, failed_attempts,
       completed, failed, parked, canceled, succeeded_at, waits, runs from command_bus_type_figure`,
  )
  await pool.query(`update command_bus_type_figure set bucket = bucket - interval '8 days' where command_type = 'New'`)
  await pool.query(`update command_bus_queue_sample set bucket = bucket - interval '9 days'`)
  await forgetFigures(pool)
  const { rows } = await pool.query('select command_type, seconds from command_bus_type_figure order by seconds')
  expect(rows).toEqual([
    { command_type: 'Yesterday', seconds: 900 },
    { command_type: 'Yesterday', seconds: 7200 },
  ])
  // the count of a quiet queue goes on from its last sample
  await bus.send('payments', 'New', {})
  await sampleQueues(pool, pool)
  const { items } = await bus.figures.queues({ queue: 'payments__commands' })
  expect(items[0]).toMatchObject({ depth: 3, total: 3, change: 1 })
})
