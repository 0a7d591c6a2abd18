import type { Pool, PoolClient } from 'pg'
import { describe, expect, test } from 'vitest'
import { queueStats } from '../../../src/infrastructure/postgres/queue/queue-stats.ts'
import { readDatabaseStats } from '../../../src/infrastructure/postgres/stats/database-stats.ts'
import { createStats } from '../../../src/infrastructure/postgres/stats/stats.ts'
import { readConfig } from '../../../src/infrastructure/settings/config.ts'
import { createTestBus, logIsSeparate } from '../../support/bus.ts'
import { createTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

const sender = (subject: string, tenant: string | null = null) => ({ subject, roles: ['SENDER'] as const, tenant })

describe('new queues', () => {
  test('G7: a caller may add only so many in an hour; existing ones always work', async () => {
    const { bus, another, pool } = await createTestBus({ newQueuesPerHour: 3 })
    await bus.send('payments', 'Charge', null)
    const caller = another().as(sender('mallory'))
    const charge = { commandType: 'Charge', data: null }
    await caller.send('one', charge)
    await caller.send('one', { ...charge, replyTo: 'two__replies' })
    await caller.send('one', { ...charge, replyTo: 'two__replies' })
    await caller.send('three', charge)
    const refused = {
      code: 'TOO_MANY_QUEUES',
      message: expect.stringMatching(/3 domains and reply queues an hour.*later/),
    }
    await expect(caller.send('four', charge)).rejects.toMatchObject(refused)
    await expect(caller.send('one', { ...charge, replyTo: 'four__replies' })).rejects.toMatchObject(refused)
    const batch = [charge, { ...charge, replyTo: 'five__replies' }]
    await expect(caller.sendBatch('one', batch)).rejects.toMatchObject(refused)
    for (const domain of ['one', 'three', 'payments']) await caller.send(domain, { ...charge, replyTo: 'two__replies' })
    expect(
      (await pool.query(`select from command_bus_command where domain = 'four' or reply_queue = 'five__replies'`)).rows,
    ).toEqual([])
    await another().as(sender('alice')).send('four', charge)
    await bus.send('five', 'Charge', null)
  })

  test('G7: a send whose turn to be counted takes longer than one try waits for it, and does not fail', async () => {
    const { bus, pool, until } = await createTestBus()
    await bus.ready()
    const counting = await pool.connect()
    await counting.query(`begin; select pg_advisory_xact_lock(hashtextextended('commandbus:queues', 0))`)
    const sending = bus.send('payments', 'Charge', null)
    const tries = new Set<string>()
    await until(
      async () => {
        const { rows } = await pool.query<{ began: string }>(
          `select xact_start::text as began from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock' and query like '%command_bus_claim_queues%'`,
        )
        for (const { began } of rows) tries.add(began)
        return tries.size
      },
      count => count === 2,
    )
    await counting.query('commit')
    counting.release()
    expect(await sending).toMatchObject({ status: 'PENDING' })
  })

  test.each(['read committed', 'serializable'])(
    'G7: twenty processes that send at once share both limits, by default %s',
    async isolation => {
      const { bus, another, pool, database } = await createTestBus({
        maxQueues: 5,
        newQueuesPerHour: 3,
        maxConnections: 2,
      })
      await bus.send('payments', 'Charge', null)
      await pool.query(
        `alter database ${new URL(database.url).pathname.slice(1)} set default_transaction_isolation = '${isolation}'`,
      )
      const charge = { commandType: 'Charge', data: null }
      const processes = Array.from({ length: 20 }, () => another())
      const sent = async (sends: readonly Promise<unknown>[]): Promise<number> => {
        const results = await Promise.allSettled(sends)
        for (const one of results) if (one.status === 'rejected') expect(one.reason.code).toBe('TOO_MANY_QUEUES')
        return results.filter(({ status }) => status === 'fulfilled').length
      }
      expect(await sent(processes.map((one, i) => one.as(sender('mallory')).send(`mallory${i}`, charge)))).toBe(3)
      expect(await sent(processes.map((one, i) => one.send(`domain${i}`, 'Charge', null)))).toBe(1)
      expect(await sent(processes.map(one => one.send('payments', 'Charge', null)))).toBe(20)
      expect((await pool.query('select from pgmq.meta')).rowCount).toBe(5)
    },
  )

  test('G7: all callers together may make only so many, however they send, until the limit is raised', async () => {
    const { bus, another } = await createTestBus({ maxQueues: 3 })
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => bus.send(`domain${i}`, 'Charge', null)),
    )
    const made = results.flatMap(one => (one.status === 'fulfilled' ? [one.value.domain] : []))
    expect(made).toHaveLength(3)
    const [known] = made as [string]
    const refused = {
      code: 'TOO_MANY_QUEUES',
      message: expect.stringMatching(/limit of 3 queues.*COMMANDBUS_MAX_QUEUES/),
    }
    const other = another()
    await expect(other.send('domain30', 'Charge', null)).rejects.toMatchObject(refused)
    await expect(other.sendBatch('domain30', [{ commandType: 'Charge', data: null }])).rejects.toMatchObject(refused)
    await expect(other.send(known, 'Charge', null, { replyTo: 'r__replies' })).rejects.toMatchObject(refused)
    await expect(
      other.as(sender('alice')).send('domain30', { commandType: 'Charge', data: null }),
    ).rejects.toMatchObject(refused)
    await other.send(known, 'Charge', null)
    await another({ maxQueues: 4 }).send('domain30', 'Charge', null)
    expect(() => another({ maxQueues: -1 })).toThrow(/maxQueues/)
  })
})

test('G7: above a limit HTTP answers 429 with a reason, and the environment sets the limits', async () => {
  const api = await createTestApi({}, { newQueuesPerHour: 1 })
  const token = await api.token(['SENDER'])
  const send = (domain: string) =>
    api.request('POST', `/domains/${domain}/commands`, { token, body: { commandType: 'Charge', data: {} } })
  expect((await send('one')).status).toBe(202)
  expectProblem(await send('two'), 429, 'TOO_MANY_QUEUES', /1 domains and reply queues an hour/)
  expect((await send('one')).status).toBe(202)
  const limits = { COMMANDBUS_MAX_QUEUES: '7', COMMANDBUS_NEW_QUEUES_PER_HOUR: '3' }
  expect(readConfig(limits)).toMatchObject({ maxQueues: 7, newQueuesPerHour: 3 })
  for (const name of Object.keys(limits)) expect(() => readConfig({ [name]: 'many' })).toThrow(name)
})

/** A pool that counts its statements, and the locks that each statement holds at its end. */
const watched = (pool: Pool) => {
  let statements = 0
  let most = 0
  const query = async (...given: Parameters<PoolClient['query']>) => {
    const client = await pool.connect()
    try {
      statements++
      await client.query('begin')
      const answer = await client.query(...given)
      const { rows } = await client.query('select count(*)::int as n from pg_locks where pid = pg_backend_pid()')
      most = Math.max(most, rows[0].n)
      await client.query('commit')
      return answer
    } finally {
      client.release()
    }
  }
  return {
    pool: new Proxy(pool, { get: (target, key) => (key === 'query' ? query : Reflect.get(target, key, target)) }),
    reset: () => {
      statements = 0
      most = 0
    },
    statements: () => statements,
    most: () => most,
  }
}

/** Makes queues with only what the stats read; pgmq itself takes minutes for thousands. */
const MANY = 3_000

describe.skipIf(logIsSeparate)('3,000 queues', () => {
  test('G7: their stats cost as much as those of a hundred, take few locks at a time, and are right', async () => {
    const { bus, pool } = await createTestBus()
    await bus.send('payments', 'Charge', null)
    for (let from = 0; from < MANY; from += 200) {
      await pool.query(`do $$ begin
        for i in ${from + 1}..${from + 200} loop
          execute format('create table pgmq.%I (like pgmq.q_payments__commands including indexes)', 'q_x' || i);
          execute format('create sequence pgmq.%I owned by pgmq.%I.msg_id', 'q_x' || i || '_msg_id_seq', 'q_x' || i);
          insert into pgmq.meta (queue_name, is_partitioned, is_unlogged) values ('x' || i, false, false);
        end loop; end $$`)
    }
    const counted = watched(pool)
    const first = await queueStats(counted.pool)
    expect(first).toHaveLength(MANY + 1)
    expect(counted.most()).toBeLessThan(1_000)

    await pool.query(
      `insert into pgmq.q_x2999 (msg_id, read_ct, enqueued_at, vt, message) values (7, 0, now(), now(), '{}')`,
    )
    await pool.query('select pg_stat_force_next_flush()')
    counted.reset()
    const stats = await readDatabaseStats(counted.pool)
    expect(stats.queues).toHaveLength(MANY + 1)
    expect(stats.queues.filter(({ depth }) => depth > 0).map(({ queue }) => queue)).toEqual([
      'payments__commands',
      'x2999',
    ])
    // a statement for the list, one for a portion, two for workers, one for owed replies, the others for the rest
    expect(counted.statements()).toBeLessThanOrEqual(8)
    expect(counted.most()).toBeLessThan(1_000)
    counted.reset()
    expect((await createStats(counted.pool).read()).queues).toHaveLength(MANY + 1)
    expect(counted.most()).toBeLessThan(1_000)
  }, 240_000)
})
