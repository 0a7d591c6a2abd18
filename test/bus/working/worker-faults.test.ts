import { once } from 'node:events'
import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createCommandBus, defineHandler } from '../../../src/index.ts'
import { createTestBus, signal } from '../../support/bus.ts'
import { usersPool } from '../../support/database.ts'
import { isParked } from '../../support/park.ts'

const nothingIsArchived = `
  create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no space left'; end $$;
  create trigger refuse before insert on pgmq.a_payments__commands for each row execute function refuse()`

test('A29: a message that cannot be archived does not keep the worker from the messages it was read with', async () => {
  const { bus, pool, work, until } = await createTestBus()
  const { commandId } = await bus.send('payments', 'Charge', {})
  await pool.query(`select pgmq.send('payments__commands', '{"not": "ours"}')`)
  await pool.query(nothingIsArchived)
  // as many as it has slots: no more are read before these have started
  await work({ domain: 'payments', concurrency: 2, handlers: { Charge: () => 'done' } })
  await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED',
  )
  expect((await bus.getCommand('payments', commandId))?.attempts).toBe(1)
})

test('A29: a command that cannot be read waits without losing an attempt, and does not affect those it was read with', async () => {
  const { bus, pool, work, until, messages } = await createTestBus()
  const unreadable = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
  const readable = await bus.sendBatch('payments', Array(3).fill({ commandType: 'Charge', data: {}, maxAttempts: 1 }))
  await pool.query(
    `insert into command_bus_event (stream, revision, id, type, data, meta, hash)
     select stream, 1, gen_random_uuid(), 'CommandOfALaterVersion', '{}', meta, '' from command_bus_event where stream = $1`,
    [`command-payments-${unreadable.commandId}`],
  )
  await work({ domain: 'payments', handlers: { Charge: () => 'done' } })
  for (const { commandId } of readable) {
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
  }
  const [waits] = await until(
    () => messages('payments__commands'),
    ([message]) => message?.read_ct === 0,
  )
  expect(waits?.message.command_id).toBe(unreadable.commandId)
})

test('A29: messages that are read while the log is unreadable go back without losing an attempt', async () => {
  const { bus, pool, work, until } = await createTestBus()
  const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
  await pool.query('alter table command_bus_event rename to hidden')
  const worker = await work({ domain: 'payments', leaseSeconds: 1, handlers: { Charge: () => 'done' } })
  await until(
    async () => worker.health(),
    health => health.status === 'degraded' && health.reasons[0]?.startsWith('the queue') === true,
  )
  await pool.query('alter table hidden rename to command_bus_event')
  const done = await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED' || c?.status === 'IN_TROUBLESHOOTING_QUEUE',
  )
  expect(done).toMatchObject({ status: 'COMPLETED', totalAttempts: 1 })
})

const throwing = new t.Type<unknown>(
  'Throwing',
  t.unknown.is,
  () => {
    throw new RangeError('the codec does not know what to do')
  },
  t.identity,
)

const unreadable = (): never => {
  throw new Error('nobody can read this')
}

test('A21: a handler that throws an unreadable value, or whose codec throws, has a transient failure at once', async () => {
  const { bus, work, until } = await createTestBus()
  const handlers = {
    NoText: () => Promise.reject(Object.create(null)),
    NoLooking: () => Promise.reject(new Proxy({}, { getPrototypeOf: unreadable })),
    Codec: defineHandler({ payload: throwing, handle: () => 'never' }),
  }
  const codes = { NoText: 'object', NoLooking: 'UNKNOWN', Codec: 'RangeError' }
  await work({ domain: 'payments', handlers })
  for (const [type, code] of Object.entries(codes)) {
    const { commandId } = await bus.send('payments', type, {}, { maxAttempts: 1 })
    const parked = await until(() => bus.getCommand('payments', commandId), isParked)
    expect(parked).toMatchObject({ parkedReason: 'EXHAUSTED', lastErrorType: 'TRANSIENT', lastErrorCode: code })
  }
})

test('A28: when there are more transactional handlers than connections, the others wait and lose no attempt', async () => {
  const { database, until } = await createTestBus()
  const pool = usersPool({ connectionString: database.url, max: 3 })
  const noted: string[] = []
  const warn = (_: object, message: string) => noted.push(message)
  const bus = createCommandBus({ pool, log: { ...silentLog, warn, error: warn } })
  const sent = await bus.sendBatch('payments', Array(3).fill({ commandType: 'Charge', data: {} }))
  const held = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
  pool.options.connectionTimeoutMillis = 50
  const worker = bus.worker({
    domain: 'payments',
    leaseSeconds: 1,
    handlers: { Charge: defineHandler({ transactional: true, handle: () => 'done' }) },
  })
  await worker.start()
  await until(
    async () => noted,
    all => all.some(message => message.includes('no connection for a transactional handler')),
  )
  pool.options.connectionTimeoutMillis = 0
  for (const client of held) client.release()
  for (const { commandId } of sent) {
    const done = await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(done?.totalAttempts).toBe(1)
  }
  await bus.close()
  await pool.end()
})

test('A28: a transactional handler that goes on after its timeout can no longer write', async () => {
  const { bus, pool, work, until } = await createTestBus({ maxConnections: 3 })
  await pool.query('create table effects (attempt int)')
  const { commandId } = await bus.send('payments', 'Charge', {}, { backoffSeconds: [0] })
  const zombie = signal<Promise<unknown>>()
  await work({
    domain: 'payments',
    handlers: {
      Charge: defineHandler({
        transactional: true,
        timeoutMs: 50,
        handle: async (_, { client, attempt, signal: stop }) => {
          const write = () => client.query('insert into effects values ($1)', [attempt])
          if (attempt > 1) return void (await write())
          await once(stop, 'abort')
          const done = until(
            () => bus.getCommand('payments', commandId),
            c => c?.status === 'COMPLETED',
          )
          zombie.resolve(done.then(write))
          await done
        },
      }),
    },
  })
  await expect(zombie.promise).rejects.toThrow()
  expect((await pool.query('select attempt from effects')).rows).toEqual([{ attempt: 2 }])
})

test('A28: a heartbeat does not shorten a lease that a handler extended', async () => {
  const { bus, pool, work, until } = await createTestBus()
  await bus.send('payments', 'Charge', {})
  const asked = signal()
  const go = signal()
  await work({
    domain: 'payments',
    leaseSeconds: 1,
    handlers: {
      Charge: async (_, { extendVisibility }) => {
        await extendVisibility(600)
        asked.resolve()
        await go.promise
      },
    },
  })
  await asked.promise
  const row = async () =>
    (await pool.query(`select xmin::text, vt > now() + interval '500 s' as kept from pgmq.q_payments__commands`))
      .rows[0]
  const before = await row()
  const beaten = await until(row, now => now.xmin !== before.xmin)
  expect([before.kept, beaten.kept]).toEqual([true, true])
  go.resolve()
})

test.each([
  ['of a small tenant', 'command_bus_command_tenant_newest', { tenant: 'small' }, {}],
  [
    'of canceled commands',
    'command_bus_command_canceled',
    { roles: ['ADMIN' as const] },
    { status: 'CANCELED' as const },
  ],
])(
  'A10: the list %s is read by its own index, however many other rows there are',
  async (_, index, identity, filter) => {
    const { bus, another, pool, until } = await createTestBus()
    await bus.ready()
    await pool.query(
      `insert into command_bus_command (domain, command_id, command_type, status, attempts, max_attempts, total_attempts,
       queue_name, correlation_id, tenant_id, retry_count, data_revision, created_at, updated_at, revision)
     select 'payments', gen_random_uuid(), 'Charge', case when i <= 10 then 'CANCELED' else 'COMPLETED' end, 1, 3, 1,
       'payments__commands', i::text, case when i <= 10 then 'small' else 'large' end, 0, 0,
       now() - (5000 - i) * interval '1 s', now(), 2
     from generate_series(1, 5000) i`,
    )
    await pool.query('analyze command_bus_command')
    const reader = another()
    const jane = reader.as({ subject: 'jane', tenant: null, roles: ['AUDITOR'], ...identity })
    expect((await jane.queryCommands(filter)).items).toHaveLength(10)
    // a connection reports its statistics when it ends
    await reader.close()
    const scans = async () =>
      (await pool.query('select idx_scan::int as n from pg_stat_user_indexes where indexrelname = $1', [index])).rows[0]
        .n
    await until(scans, n => n > 0)
  },
)

test('A26: while a stop waits for a handler, its lease is extended: nobody else gets the message', async () => {
  const { bus, pool, work, until } = await createTestBus()
  const { commandId } = await bus.send('payments', 'Charge', {})
  const began = signal()
  const go = signal()
  const handle = async () => {
    began.resolve()
    await go.promise
    return 'done'
  }
  const worker = await work({ domain: 'payments', leaseSeconds: 1, handlers: { Charge: handle } })
  await began.promise
  const { rows } = await pool.query(`select now() + interval '1500 ms' as later`)
  const stopped = worker.stop()
  const lease = async () => (await pool.query('select vt from pgmq.q_payments__commands')).rows[0].vt
  await until(lease, vt => vt > rows[0].later)
  go.resolve()
  await stopped
  expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'COMPLETED', totalAttempts: 1 })
})

test('a worker starts once, also when start is called twice at the same time, and again after a failed start', async () => {
  const { bus, pool } = await createTestBus()
  await bus.ready()
  const worker = bus.worker({ domain: 'payments', handlers: {} })
  await pool.query('alter schema pgmq rename to away')
  await expect(worker.start()).rejects.toThrow()
  await pool.query('alter schema away rename to pgmq')
  const starts = await Promise.allSettled([worker.start(), worker.start()])
  expect(starts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  await worker.stop()
})
