import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../src/application/ports/log.ts'
import { type CommandBusOptions, createCommandBus, UnavailableError, type Worker } from '../../src/index.ts'
import { demoWorkflowHandlers } from '../../src/infrastructure/demo/index.ts'
import { isOutage } from '../../src/infrastructure/postgres/connection/errors.ts'
import { createTestBus, signal, until } from '../support/bus.ts'
import { parked } from '../support/park.ts'
import { files, jane, quickly, runsOf } from '../support/runs.ts'
import { type CutLine, openCutLine } from '../support/servers/cut-line.ts'

/** Short, so that the tests are short; long enough for a busy machine. */
const TIMEOUT_MS = 1_500
/** Far longer than any call here may take. */
const LATE_MS = 20_000

const open: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const inTime = <A>(work: Promise<A>): Promise<A> =>
  Promise.race([
    work,
    delay(LATE_MS, undefined, { ref: false }).then(() => Promise.reject(new Error('it has not settled'))),
  ])

/** A bus that reaches its database through a line, and one with a direct connection. */
const openOverLine = async (options: CommandBusOptions = {}) => {
  const test = await createTestBus()
  await test.bus.ready()
  const line: CutLine = await openCutLine(test.database.url)
  open.push(line.close)
  const bus = createCommandBus({ databaseUrl: line.url, databaseTimeoutMs: TIMEOUT_MS, ...options })
  open.push(() => bus.close())
  return { ...test, line, other: test.bus, bus }
}

const healthIs = (worker: Worker, ...statuses: readonly string[]) =>
  until(
    async () => worker.health(),
    ({ status }) => statuses.includes(status),
  )

const unavailable = (words: RegExp) => ({
  status: 'rejected',
  reason: expect.objectContaining({ name: 'UnavailableError', message: expect.stringMatching(words) }),
})

test('R11: every call to a database that stops answering ends, however many there are, and works again afterwards', async () => {
  const { bus, line } = await openOverLine()
  const { commandId } = await bus.send('payments', 'Charge', {})
  // all connections of the pool are open by then
  await Promise.all(Array.from({ length: 50 }, () => bus.getCommand('payments', commandId)))
  line.silence()
  const calls = await inTime(
    Promise.allSettled([
      ...Array.from({ length: 50 }, () => bus.getCommand('payments', commandId)),
      bus.queryCommands({}),
      bus.getHistory('payments', commandId),
      bus.cancel('payments', commandId),
      bus.troubleshooting.list(),
      bus.sendBatch('payments', [{ commandType: 'Charge', data: {} }]),
    ]),
  )
  for (const call of calls.slice(0, -1)) expect(call).toEqual(unavailable(/./))
  // its commands are in doubt only if it got a connection
  expect(['BATCH_FAILED', 'UNAVAILABLE']).toContain(
    (calls.at(-1) as { readonly reason?: { readonly code: string } }).reason?.code,
  )
  line.silence(false)
  expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING' })
})

test('R11: a send without an answer says that it may be stored, and the same id stores it once', async () => {
  const { bus, line, other, pool } = await openOverLine()
  const { commandId } = await bus.send('payments', 'Charge', {})
  // so that there is an open connection to send on
  await Promise.all(Array.from({ length: 10 }, () => bus.getCommand('payments', commandId)))
  line.silence()
  const error: unknown = await inTime(bus.send('payments', 'Charge', {})).catch(failed => failed)
  expect(error).toBeInstanceOf(UnavailableError)
  const id = /unknown: send it again with commandId '([0-9a-f-]{36})', which stores it once/.exec(String(error))?.[1]
  expect(id).toBeDefined()
  line.silence(false)
  const ids = await Promise.allSettled([
    bus.send('payments', 'Charge', {}, { commandId: id as string }),
    other.send('payments', 'Charge', {}, { commandId: id as string }),
  ])
  expect(ids.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const { rows } = await pool.query('select from command_bus_command where command_id = $1', [id])
  expect(rows).toHaveLength(1)
})

test("R11: calls on a user's pool without time limits, and in a user's transaction, end; the client stays the user's", async () => {
  const { line } = await openOverLine()
  const pool = new pg.Pool({ connectionString: line.url, max: 1 })
  open.push(() => pool.end())
  const bus = createCommandBus({ pool, databaseTimeoutMs: TIMEOUT_MS })
  open.push(() => bus.close())
  await bus.ready()
  const client = await pool.connect()
  const [busy] = await inTime(Promise.allSettled([bus.queryCommands({})]))
  expect(busy).toEqual(unavailable(/no connection to the database became free in time/))
  client.on('error', () => {})
  await client.query('begin')
  await bus.send('payments', 'Charge', {}, { client })
  line.silence()
  const [joined] = await inTime(Promise.allSettled([bus.send('payments', 'Charge', {}, { client })]))
  expect(joined).toEqual(unavailable(/did not answer in time/))
  let ended = false
  client.once('end', () => {
    ended = true
  })
  await delay(0)
  expect(ended).toBe(false)
  client.release(true)
  line.silence(false)
  expect((await bus.queryCommands({})).items).toEqual([])
})

test('R11: for a lock that is never free the call ends, the server stops waiting, and the transaction can be rolled back', async () => {
  const { bus, pool } = await openOverLine()
  await bus.send('payments', 'Charge', {})
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('lock table command_bus_event in access exclusive mode')
  const client = await pool.connect()
  await client.query('begin')
  const [sent, joined] = await inTime(
    Promise.allSettled([bus.send('payments', 'Charge', {}), bus.send('payments', 'Charge', {}, { client })]),
  )
  expect(sent).toEqual(unavailable(/is locked by an open transaction.*nothing of this was stored/))
  expect(joined).toEqual(unavailable(/did not answer in time/))
  await inTime(client.query('rollback'))
  client.release()
  const waiting = async () =>
    (await holder.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`))
      .rows
  await until(waiting, rows => rows.length === 0)
  await holder.query('rollback')
  holder.release()
  await bus.send('payments', 'Charge', {})
})

test("R11: a call that waits behind a user's statement does not cancel that statement, and does not run later", async () => {
  const test = await createTestBus()
  const bus = createCommandBus({ pool: test.pool, databaseTimeoutMs: TIMEOUT_MS })
  open.push(() => bus.close())
  await bus.send('payments', 'Charge', {})
  const [gate, client] = [await test.pool.connect(), await test.pool.connect()]
  for (const one of [gate, client]) one.on('error', () => {})
  await gate.query('select pg_advisory_lock(7)')
  await client.query('begin')
  const own = client.query('select pg_advisory_lock(7), 1 as mine')
  const [joined] = await inTime(Promise.allSettled([bus.send('payments', 'Charge', {}, { client })]))
  expect(joined).toEqual(unavailable(/did not answer in time/))
  await gate.query('select pg_advisory_unlock(7)')
  expect((await own).rows).toMatchObject([{ mine: 1 }])
  await client.query('commit')
  for (const one of [gate, client]) one.release()
  expect((await bus.queryCommands({})).items).toHaveLength(1)
})

test('R11: a worker reports that the database does not answer, keeps its outcome, and goes on by itself', async () => {
  const { bus, line, other } = await openOverLine()
  const began = signal()
  const go = signal()
  let runs = 0
  const worker = bus.worker({
    domain: 'payments',
    pollMs: 50,
    leaseSeconds: 60,
    handlers: {
      Charge: async () => {
        runs++
        began.resolve()
        await go.promise
        return 'done'
      },
    },
  })
  await worker.start()
  const { commandId } = await other.send('payments', 'Charge', {})
  await began.promise
  await healthIs(worker, 'healthy')
  line.silence()
  go.resolve()
  await until(
    async () => worker.health().reasons.join(),
    said => /the queue could not be read/.test(said) && /outcomes could not be recorded/.test(said),
  )
  await until(
    async () => worker.health().reasons.join(),
    said => /the doorbell is not connected/.test(said),
  )
  line.silence(false)
  await healthIs(worker, 'healthy')
  const done = await until(
    () => other.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED',
  )
  expect([done?.totalAttempts, done?.result, runs]).toEqual([1, 'done', 1])
})

test('R11: an idle worker notices a silent database, and gets notifications again afterwards', async () => {
  const { bus, line, other } = await openOverLine()
  const done = signal()
  const worker = bus.worker({
    domain: 'payments',
    // only a notification can bring it in time
    pollMs: 60_000,
    leaseSeconds: 3,
    handlers: { Charge: () => done.resolve() },
  })
  await worker.start()
  await healthIs(worker, 'healthy')
  line.silence()
  await until(
    async () => worker.health().reasons.join(),
    said => /the doorbell is not connected/.test(said),
  )
  line.silence(false)
  await healthIs(worker, 'healthy')
  await other.send('payments', 'Charge', {})
  await inTime(done.promise)
})

test('R11: a bus can be closed while the database does not answer', async () => {
  const { bus, line } = await openOverLine()
  const began = signal()
  const worker = bus.worker({
    domain: 'payments',
    pollMs: 50,
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
  line.silence()
  await inTime(worker.stop({ deadlineMs: 100 }))
  await inTime(bus.close())
})

test('R11: an outcome that meets lock_timeout or statement_timeout is retried; the handler does not run again, and the lease is extended', async () => {
  for (const limit of ['lock_timeout', 'statement_timeout']) {
    const { other, database, pool, another } = await openOverLine()
    const name = new URL(database.url).pathname.slice(1)
    await pool.query(`alter database ${name} set ${limit} = '200ms'`)
    const warnings: string[] = []
    const bus = another({
      databaseUrl: database.url,
      log: { ...silentLog, warn: (about: object) => void warnings.push(String((about as { err?: unknown }).err)) },
    })
    const began = signal()
    const go = signal()
    let runs = 0
    const work = {
      domain: 'payments',
      pollMs: 50,
      leaseSeconds: 2,
      handlers: {
        Charge: async () => {
          runs++
          began.resolve()
          await go.promise
          return 'done'
        },
      },
    }
    const worker = bus.worker(work)
    const { commandId } = await other.send('payments', 'Charge', {})
    await worker.start()
    await began.promise
    await until(
      () => other.getCommand('payments', commandId),
      c => c?.status === 'IN_PROGRESS',
    )
    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query('lock table command_bus_event in exclusive mode')
    go.resolve()
    await until(
      async () => worker.health().reasons.join(),
      said => /outcomes could not be recorded/.test(said),
    )
    // another worker would take the message once its lease has run out
    const next = bus.worker(work)
    await next.start()
    const lease = async () => (await pool.query(`select vt from pgmq.q_payments__commands`)).rows[0]?.vt
    const first = await lease()
    await until(lease, vt => vt > first)
    const second = await lease()
    await until(lease, vt => vt > second)
    await holder.query('rollback')
    holder.release()
    const done = await until(
      () => other.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect([limit, done?.totalAttempts, done?.result, runs]).toEqual([limit, 1, 'done', 1])
    await healthIs(worker, 'healthy')
    expect(warnings.join('\n')).toMatch(/lock timeout|statement timeout/)
    await bus.close()
  }
})

test('R11: a failover, with silence and then another server, is survived; calls meanwhile fail with a reason', async () => {
  const { bus, line, other } = await openOverLine()
  const seen: unknown[] = []
  const worker = bus.worker({
    domain: 'payments',
    pollMs: 50,
    handlers: { Charge: ({ n }: { n: number }) => void seen.push(n) } as never,
  })
  await worker.start()
  await other.send('payments', 'Charge', { n: 1 })
  await until(
    async () => seen.length,
    n => n === 1,
  )
  line.silence()
  await healthIs(worker, 'degraded', 'critical')
  line.refuseNew(true)
  await expect(bus.queryCommands({})).rejects.toThrow(UnavailableError)
  line.refuseNew(false)
  line.silence(false)
  await other.send('payments', 'Charge', { n: 2 })
  await until(
    async () => seen.length,
    n => n === 2,
  )
  await healthIs(worker, 'healthy')
})

test('R11: the connection of an unanswered transaction is closed; the handler runs again, and its writes count once', async () => {
  const { bus, line, other, pool } = await openOverLine()
  await pool.query('create table booked (n int)')
  const began = signal()
  const go = signal()
  const worker = bus.worker({
    domain: 'payments',
    pollMs: 50,
    handlers: {
      Charge: {
        transactional: true,
        handle: async (_, { client, attempt }) => {
          await client.query('insert into booked values ($1)', [attempt])
          began.resolve()
          await go.promise
        },
      },
    },
  })
  await worker.start()
  const { commandId } = await other.send('payments', 'Charge', {}, { backoffSeconds: [1] })
  await began.promise
  line.silence()
  go.resolve()
  await healthIs(worker, 'degraded', 'critical')
  await until(
    async () => worker.health().reasons.join(),
    said => /outcomes could not be recorded/.test(said),
  )
  line.silence(false)
  const done = await until(
    () => other.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED',
  )
  expect(done?.totalAttempts).toBe(2)
  expect((await pool.query('select n from booked')).rows).toEqual([{ n: 2 }])
})

test('R11: work that may take long has no time limit', async () => {
  const { bus, pool } = await openOverLine()
  const { commandId } = await bus.send('payments', 'Charge', {})
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('lock table command_bus_command in access exclusive mode')
  let verified = false
  const verifying = bus.maintenance.verify().then(drift => {
    verified = true
    return drift
  })
  // two calls with a limit, one after the other, end before
  for (const _ of [1, 2]) await expect(bus.getCommand('payments', commandId)).rejects.toThrow(/did not answer in time/)
  expect(verified).toBe(false)
  await holder.query('rollback')
  holder.release()
  expect(await verifying).toEqual([])
})

test('R11: a transient error counts as an outage, whichever part of the network reports it', () => {
  const codes = (
    'ENETUNREACH EHOSTUNREACH EHOSTDOWN ENETDOWN EPIPE ETIMEDOUT ECONNRESET ECONNREFUSED ECONNABORTED EAI_AGAIN ENOTFOUND ' +
    '08006 08P01 25006 25P03 40001 40P01 53100 53300 55P03 57014 57P01 57P02 57P03 57P05 58030'
  ).split(' ')
  for (const code of codes) {
    const error = Object.assign(new Error('x'), { code })
    expect([code, isOutage(error)]).toEqual([code, true])
  }
  const messages = [
    'timeout exceeded when trying to connect',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'Query read timeout',
    'Client was closed and is not queryable',
    'Client has encountered a connection error and is not queryable',
  ]
  for (const message of messages) expect([message, isOutage(new Error(message))]).toEqual([message, true])
  // one of several addresses of a host: Node reports the error of each
  const refused = Object.assign(new Error('x'), { code: 'ENETUNREACH' })
  expect(isOutage(new AggregateError([refused]))).toBe(true)
  for (const code of ['22P02', '23505', '42501', '42P01', '28P01', 'CB409']) {
    expect([code, isOutage(Object.assign(new Error('x'), { code }))]).toEqual([code, false])
  }
})

test('R11: an invalid time limit is refused with what to do', () => {
  for (const databaseTimeoutMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 3e9, '5s' as never]) {
    expect(() => createCommandBus({ databaseUrl: 'postgres://localhost/x', databaseTimeoutMs })).toThrow(
      /databaseTimeoutMs: must be a whole number of milliseconds from 10 to 2147483647, not .*leave it out for 30000/,
    )
  }
})

test('R11: workflow runs, bulk actions and live events go on by themselves after the database was silent', async () => {
  const over = await openOverLine({ workflows: quickly })
  const { bus, line, other } = over
  const commandId = await parked(over)
  const errors: unknown[] = []
  void bus.runs.run().catch(error => errors.push(error))
  void bus.actions.run().catch(error => errors.push(error))
  const seen = new Set<string>()
  const live = await bus.as({ subject: 'jane', tenant: null, roles: ['ADMIN'] }).live({ after: 'now' })
  void (async () => {
    for await (const { type } of live) seen.add(type)
  })().catch(error => errors.push(error))
  const worker = other.worker({ domain: 'workflow', handlers: demoWorkflowHandlers })
  await worker.start()
  const setup = { bus: other, work: over.work }
  const { template, grant } = runsOf(setup)
  await grant(100)
  const templateId = await template()
  const oneRun = async () => {
    const { id } = await other.runs.initiate(jane, { templateId, files: files('ok') })
    await until(
      () => other.runs.get(jane, id),
      ({ endedAt }) => endedAt !== null,
    )
  }
  await oneRun()
  await other.send('payments', 'Charge', {})
  await until(
    async () => seen.size,
    size => size > 0,
  )
  line.silence()
  const [read] = await inTime(Promise.allSettled([bus.getCommand('payments', commandId)]))
  expect(read).toEqual(unavailable(/./))
  line.silence(false)
  await inTime(oneRun())
  const { actionId } = await other.actions.start({
    action: 'cancel',
    filter: {},
    operator: 'jane',
    reason: 'not needed',
  })
  await inTime(
    until(
      () => other.actions.get(actionId),
      action => action?.succeeded === 1,
    ),
  )
  await inTime(
    until(
      async () => seen.has('OperatorCanceled'),
      canceled => canceled,
    ),
  )
  expect(errors).toEqual([])
})
