import pg from 'pg'
import { expect, test } from 'vitest'
import { createCommandBus, TransientCommandError, UnavailableError } from '../../../src/index.ts'
import { createTestBus, signal } from '../../support/bus.ts'
import { createTestDatabase } from '../../support/database.ts'
import { parked } from '../../support/park.ts'

test('A29: an outcome waits while the database is read-only, as during a failover, and counts afterwards', async () => {
  const { bus, database, pool, work, until } = await createTestBus()
  const name = new URL(database.url).pathname.slice(1)
  const turn = async (readOnly: 'on' | 'off'): Promise<void> => {
    const client = await pool.connect()
    await client.query('set default_transaction_read_only = off')
    await client.query(`alter database ${name} set default_transaction_read_only = ${readOnly}`)
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    client.release()
  }
  const { commandId } = await bus.send('payments', 'Charge', {})
  const began = signal()
  const go = signal()
  const worker = await work({
    domain: 'payments',
    handlers: {
      Charge: async () => {
        began.resolve()
        await go.promise
        return 'done'
      },
    },
  })
  await began.promise
  await turn('on')
  go.resolve()
  await until(
    async () => worker.health().reasons.join(),
    reasons => reasons.includes('outcomes could not be recorded'),
  )
  await turn('off')
  const done = await until(
    () => bus.getCommand('payments', commandId).catch(() => null),
    c => c?.status === 'COMPLETED',
  )
  expect(done).toMatchObject({ result: 'done', totalAttempts: 1 })
})

test('calls that find no free connection fail with an error that says so and advises to try again', async () => {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  const bus = createCommandBus({ pool })
  await bus.ready()
  const busy = await pool.connect()
  pool.options.connectionTimeoutMillis = 50
  const refused = await bus.send('payments', 'Charge', {}).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(UnavailableError)
  expect(String(refused)).toMatch(/no connection .* became free in time/)
  busy.release()
  await bus.close()
  await pool.end()
  await database.drop()
})

test('A13: a queue that was dropped by hand is made again for the next send in a transaction', async () => {
  const { bus, pool, messages } = await createTestBus()
  await bus.send('payments', 'Charge', {})
  await pool.query(`select pgmq.drop_queue('payments__commands')`)
  const client = await pool.connect()
  const sendWithin = async () => {
    await client.query('begin')
    await bus.send('payments', 'Charge', {}, { client })
    await client.query('commit')
  }
  await expect(sendWithin()).rejects.toThrow()
  await client.query('rollback')
  await sendWithin()
  client.release()
  expect(await messages('payments__commands')).toHaveLength(1)
})

test('A6: a reply goes to a queue of any name', async () => {
  const test = await createTestBus()
  for (const replyTo of ['error', 'constructor', '__proto__', 'select']) {
    const commandId = await parked(test, 'payments', {}, { replyTo })
    await test.bus.troubleshooting.cancel('payments', commandId, { operator: 'jane', reason: 'not needed' })
    expect(await test.messages(replyTo), replyTo).toHaveLength(1)
  }
})

test('A5: a command can be retried after its queue was dropped by hand: message ids do not start again at 1', async () => {
  const test = await createTestBus()
  const { bus, pool, work, until } = test
  const commandId = await parked(test, 'payments.eu')
  await pool.query(`select pgmq.drop_queue('payments__eu__commands')`)
  const { msgId } = await bus.troubleshooting.retry('payments.eu', commandId, { operator: 'jane' })
  expect(msgId).toBe('2')
  await work({ domain: 'payments.eu', handlers: { Charge: () => 'done' } })
  await until(
    () => bus.getCommand('payments.eu', commandId),
    c => c?.status === 'COMPLETED',
  )
})

test('A1: a retry never sends an archived message of another command', async () => {
  const test = await createTestBus()
  const { bus, pool, messages } = test
  await parked(test, 'payments', { amount: 1 })
  const commandId = await parked(test, 'payments', { amount: 2 })
  // as if the log was moved to a database whose queues have given other ids
  await pool.query(
    'update pgmq.a_payments__commands set msg_id = -msg_id; update pgmq.a_payments__commands set msg_id = 1 - msg_id',
  )
  await bus.troubleshooting.retry('payments', commandId, { operator: 'jane' })
  expect((await messages('payments__commands'))[0]?.message).toMatchObject({
    command_id: commandId,
    data: { amount: 2 },
  })
})

test('A19: the wait of a retry is measured by the clock of the queue, not by that of the worker', async () => {
  const behind = { now: () => new Date(Date.now() - 3_600_000), random: () => 0 }
  const { bus, pool, work, until } = await createTestBus({ clock: behind })
  await bus.send('payments', 'Charge', {}, { backoffSeconds: [60] })
  let attempts = 0
  await work({
    domain: 'payments',
    handlers: {
      Charge: () => {
        attempts++
        throw new TransientCommandError('LATER', 'not now')
      },
    },
  })
  const wait = async () =>
    (await pool.query(`select extract(epoch from vt - now())::float8 as s from pgmq.q_payments__commands`)).rows[0]?.s
  const seconds = await until(wait, s => s === undefined || s > 31)
  expect([Math.round(seconds / 10), attempts]).toEqual([6, 1])
})

test('A14: a send that shares a statement with an unreadable command gets its own outcome', async () => {
  const { bus, pool } = await createTestBus()
  const { commandId } = await bus.send('payments', 'Charge', {})
  await pool.query(
    `insert into command_bus_event (stream, revision, id, type, data, meta, hash)
     select stream, 1, gen_random_uuid(), 'CommandOfALaterVersion', '{}', meta, '' from command_bus_event`,
  )
  const [other, again] = await Promise.allSettled([
    bus.send('payments', 'Charge', {}),
    bus.send('payments', 'Charge', {}, { commandId }),
  ])
  expect(other).toMatchObject({ status: 'fulfilled', value: { status: 'PENDING', msgId: expect.any(String) } })
  expect(again).toMatchObject({ status: 'rejected', reason: { name: 'EventDecodeError' } })
  expect((await pool.query('select from pgmq.q_payments__commands')).rowCount).toBe(2)
})
