import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createCommandBus, type Worker } from '../../../src/index.ts'
import { createHealth } from '../../../src/infrastructure/worker/health.ts'
import { createTestBus, signal } from '../../support/bus.ts'
import { openCutLine } from '../../support/servers/cut-line.ts'

const healthOf = (worker: Worker) => async () => worker.health()
const is =
  (...statuses: readonly string[]) =>
  ({ status }: { readonly status: string }) =>
    statuses.includes(status)

test('R22: an idle worker is healthy again once an outage is over, even if no handler runs', async () => {
  const { database, until } = await createTestBus()
  const line = await openCutLine(database.url)
  const bus = createCommandBus({ databaseUrl: line.url })
  const began = signal()
  const go = signal()
  const handle = async () => {
    began.resolve()
    await go.promise
  }
  const worker = bus.worker({ domain: 'payments', leaseSeconds: 1, pollMs: 50, handlers: { Charge: handle } })
  const { commandId } = await bus.send('payments', 'Charge', {})
  await worker.start()
  await began.promise
  line.refuse(true)
  await until(healthOf(worker), ({ reasons }) => reasons.some(reason => reason.includes('leases')))
  go.resolve()
  line.refuse(false)
  await until(healthOf(worker), is('healthy'))
  await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED',
  )
  await bus.close()
  await line.close()
})

test('R22: leases are extended while no new connection is possible, also when the connection for leases is cut', async () => {
  const { bus: other, database, pool, until } = await createTestBus()
  const line = await openCutLine(database.url)
  const bus = createCommandBus({ databaseUrl: line.url })
  const worker = bus.worker({ domain: 'payments', leaseSeconds: 1, pollMs: 50, handlers: { Charge: () => go.promise } })
  const go = signal()
  await worker.start()
  await until(healthOf(worker), is('healthy'))
  // connections that are open now stay open
  line.refuseNew(true)
  const { commandId } = await other.send('payments', 'Charge', {})
  const lease = async () =>
    (await pool.query(`select vt, now() + interval '1 s' as later from pgmq.q_payments__commands`)).rows[0]
  await until(
    () => other.getCommand('payments', commandId),
    c => c?.status === 'IN_PROGRESS',
  )
  const first = await lease()
  await until(lease, ({ vt }) => vt > first.later)
  const { rows } = await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'commandbus' and (query like '%command_bus_extend%' or query like '%command_bus_pauses%')`,
  )
  expect(rows).toHaveLength(1)
  const second = await lease()
  await until(lease, ({ vt }) => vt > second.later)
  go.resolve()
  const done = await until(
    () => other.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED',
  )
  expect(done?.totalAttempts).toBe(1)
  line.refuseNew(false)
  await bus.close()
  await line.close()
})

test('R22: a message that somebody has locked is not mistaken for a lost one', async () => {
  const { bus, pool, until, work } = await createTestBus()
  const [began, go] = [signal(), signal()]
  let told: AbortSignal | undefined
  await bus.send('payments', 'Charge', {})
  await work({
    domain: 'payments',
    leaseSeconds: 3,
    handlers: {
      Charge: async (_, context) => {
        told = context.signal
        began.resolve()
        await go.promise
      },
    },
  })
  await began.promise
  const holder = await pool.connect()
  await holder.query('begin')
  // like an extension that was given up, while the server waits for its standby
  await holder.query('select from pgmq.q_payments__commands for update')
  const lastBeat = async (): Promise<number> =>
    (
      await pool.query(
        `select coalesce(max(extract(epoch from query_start)), 0)::float8 as at from pg_stat_activity
         where datname = current_database() and state = 'idle' and query like '%command_bus_extend($1%'`,
      )
    ).rows[0].at
  for (const _ of [1, 2]) {
    const before = await lastBeat()
    await until(lastBeat, at => at > before)
  }
  await holder.query('rollback')
  holder.release()
  go.resolve()
  const { items } = await until(
    () => bus.queryCommands({}),
    page => page.items[0]?.status === 'COMPLETED',
  )
  expect(items).toMatchObject([{ totalAttempts: 1 }])
  expect(told?.aborted).toBe(false)
})

test('R22: while reads fail a worker is not healthy, and critical when that lasts; it is healthy again afterwards', async () => {
  let now = new Date('2026-01-01T00:00:00Z')
  const { bus, pool, until, work } = await createTestBus({ clock: { now: () => now, random: () => 0 } })
  await bus.send('payments', 'Charge', {})
  const seen: string[] = []
  // a message without all its members is opened by its events, in a statement after the read
  await pool.query(`update pgmq.q_payments__commands set message = message - 'correlation_id'`)
  // messages that were read cannot be handed back either: reads find nothing meanwhile
  await pool.query(`alter function command_bus_streams rename to hidden_streams`)
  await pool.query(`alter function command_bus_hand_back rename to hidden_hand_back`)
  const worker = await work({ domain: 'payments', leaseSeconds: 2, pollMs: 20, handlers: { Charge: () => 'done' } })
  await until(healthOf(worker), ({ reasons }) =>
    reasons.some(reason => reason.startsWith('the queue could not be read')),
  )
  const lastRead = async () => (await pool.query('select read_ct from pgmq.q_payments__commands')).rows[0].read_ct
  const reads = await lastRead()
  await until(
    async () => {
      seen.push(worker.health().status)
      return lastRead()
    },
    read => read > reads,
  )
  expect(new Set(seen)).toEqual(new Set(['degraded']))
  now = new Date('2026-01-01T00:01:00Z')
  expect(worker.health()).toMatchObject({ status: 'critical' })
  await pool.query(`alter function hidden_streams rename to command_bus_streams`)
  await pool.query(`alter function hidden_hand_back rename to command_bus_hand_back`)
  await until(healthOf(worker), is('healthy'))
})

test('R22: health says that a worker has stopped, or no longer reads messages', async () => {
  const { work } = await createTestBus()
  const worker = await work({ domain: 'payments', handlers: {} })
  await worker.stop()
  expect(worker.health()).toEqual({ status: 'critical', reasons: ['the worker has stopped'] })

  let now = 0
  const health = createHealth({
    clock: { now: () => new Date(), random: () => 0 },
    now: () => now,
    pollMs: 500,
    leaseMs: 30_000,
    reporterFailingSince: () => null,
  })
  health.watch({ doorbell: () => true, heartbeat: () => null })
  health.round()
  expect(health.report()).toEqual({ status: 'healthy', reasons: [] })
  now = 6_000
  expect(health.report()).toEqual({ status: 'degraded', reasons: ['nothing was fetched for 6 s'] })
  now = 30_000
  expect(health.report()).toMatchObject({ status: 'critical' })
  health.round()
  expect(health.report().status).toBe('healthy')
})

test('R22: at the deadline of a stop a running attempt is given up in the log: its command is PENDING again', async () => {
  const { bus, work, until } = await createTestBus()
  const began = signal()
  const [one, last] = [
    await bus.send('payments', 'Charge', {}),
    await bus.send('payments', 'Charge', {}, { maxAttempts: 1 }),
  ]
  let begun = 0
  const worker = await work({
    domain: 'payments',
    handlers: {
      Charge: () => {
        if (++begun === 2) began.resolve()
        return new Promise(() => {})
      },
    },
  })
  await began.promise
  await worker.stop({ deadlineMs: 1 })
  const given = await until(
    () => bus.getCommand('payments', one.commandId),
    c => c?.status === 'PENDING',
  )
  expect(given).toMatchObject({ attempts: 1, lastErrorCode: 'WORKER_STOPPED' })
  expect(await bus.getCommand('payments', last.commandId)).toMatchObject({
    status: 'IN_TROUBLESHOOTING_QUEUE',
    lastErrorCode: 'WORKER_STOPPED',
  })
})

test('R22: a stop keeps its deadline when the database does not answer', async () => {
  const { database, until } = await createTestBus()
  const line = await openCutLine(database.url)
  const said: string[] = []
  const warn = (_: object, message: string) => void said.push(message)
  const bus = createCommandBus({ databaseUrl: line.url, log: { ...silentLog, warn } })
  const began = signal()
  const worker = bus.worker({
    domain: 'payments',
    pollMs: 20,
    handlers: {
      Charge: () => {
        began.resolve()
        return new Promise(() => {})
      },
    },
  })
  await bus.send('payments', 'Charge', {})
  await worker.start()
  await began.promise
  await until(healthOf(worker), is('healthy'))
  line.silence()
  const stopped = await Promise.race([
    worker.stop({ deadlineMs: 100 }).then(() => 'stopped'),
    delay(15_000, 'late', { ref: false }),
  ])
  expect(stopped).toBe('stopped')
  expect(said).toContain('the database did not answer in time: what is left comes back after its lease')
  await line.close()
  await bus.close()
})
