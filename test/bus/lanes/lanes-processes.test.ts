import { expect, test } from 'vitest'
import { verifyLanes } from '../../../src/infrastructure/proof/verification/verify-lanes.ts'
import { createTestBus, until } from '../../support/bus.ts'
import { makeLedger, mostAtOnce, type Run, readLedger, startLaneWorker } from '../../support/flow/lane-workers.ts'
import { setLimit } from '../../support/flow/lanes.ts'

// the whole proof: LANES_COMMANDS=10000 LANES_KEYS=500 LANES_WORKERS=8
const COMMANDS = Number(process.env.LANES_COMMANDS ?? 240)
const KEYS = Number(process.env.LANES_KEYS ?? 40)
const WORKERS = Number(process.env.LANES_WORKERS ?? 3)

const statuses = async (pool: import('pg').Pool, status: string): Promise<number> =>
  (await pool.query('select count(*)::int as n from command_bus_command where status = $1', [status])).rows[0].n

test('F5, F8: the order of each key holds through retries, parks, operators and workers that are killed', async () => {
  const { bus, pool, database } = await createTestBus()
  await makeLedger(pool)
  const options = { concurrency: 5, leaseSeconds: 3, handlerMs: 3 }
  const workers = Array.from({ length: WORKERS }, () => startLaneWorker(database.url, options))
  const each = COMMANDS / KEYS
  for (let n = 0; n < each; n++) {
    await bus.sendBatch(
      'jobs',
      Array.from({ length: KEYS }, (_, k) => ({
        commandType: 'Run',
        key: `k${k}`,
        data: { lane: `k${k}`, n, fails: (k + n) % 7 === 3 ? 1 : 0, parks: (k * 3 + n) % 23 === 5 ? 1 : 0 },
        maxAttempts: 20,
        backoffSeconds: [0.02],
      })),
    )
  }
  // kills go on until half of it is done
  let kills = 0
  await Promise.all(workers.map(({ started }) => started))
  for (let done = 0; done < COMMANDS; done = await statuses(pool, 'COMPLETED')) {
    if (kills < WORKERS - 1 && done > (COMMANDS * (kills + 1)) / (WORKERS + 2)) {
      await workers[kills]?.kill()
      workers.push(startLaneWorker(database.url, options))
      kills++
    }
    for (const { commandId } of (await bus.troubleshooting.list({ domain: 'jobs', limit: 100 })).items) {
      await bus.troubleshooting.retry('jobs', commandId, { operator: 'op' }).catch(() => {})
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  expect(kills).toBe(WORKERS - 1)
  const runs = await readLedger(pool)
  for (let k = 0; k < KEYS; k++) {
    const own = runs.filter(({ lane }) => lane === `k${k}`)
    expect([...new Set(own.map(({ n }) => n))]).toEqual(Array.from({ length: each }, (_, n) => n))
    own.reduce((before: Run, run) => {
      // the next begins only when the one before has ended, in whichever attempt
      if (run.n !== before.n) {
        expect(run.n).toBe(before.n + 1)
        expect(before.ended).not.toBeNull()
        expect(run.began).toBeGreaterThanOrEqual(before.ended as number)
      }
      return run
    })
  }
  expect((await verifyLanes(pool)).findings).toEqual([])
}, 600_000)

test('F5: a width of three holds over three processes; F7: a tenant with many does not keep one with few waiting', async () => {
  const { bus, pool, database } = await createTestBus()
  await makeLedger(pool)
  await setLimit(pool, 'jobs', 'per-tenant', { by: 'tenant', width: 3 })
  const data = (lane: string) => (_: unknown, n: number) => ({
    commandType: 'Run',
    tenantId: lane,
    data: { lane, n },
  })
  await bus.sendBatch('jobs', Array.from({ length: 120 }, data('many')))
  await bus.sendBatch('jobs', Array.from({ length: 10 }, data('few')))
  const options = { concurrency: 8, leaseSeconds: 30, handlerMs: 5 }
  for (let i = 0; i < 3; i++) startLaneWorker(database.url, options)
  await until(
    () => statuses(pool, 'COMPLETED'),
    done => done === 130,
  )
  const runs = await readLedger(pool)
  expect(runs).toHaveLength(130)
  const of = (tenant: string) => runs.filter(({ lane }) => lane === tenant)
  expect(mostAtOnce(of('many'))).toBeLessThanOrEqual(3)
  expect(mostAtOnce(of('few'))).toBeLessThanOrEqual(3)
  // they took turns: the ten were done when not many more of the others had run
  const lastOfFew = Math.max(...of('few').map(({ began }) => began))
  expect(of('many').filter(({ began }) => began < lastOfFew).length).toBeLessThan(60)
})
