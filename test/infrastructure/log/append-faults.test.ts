import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPool } from '../../../src/infrastructure/postgres/transactions/pool.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createCommandStore, receiving, sending } from '../../support/lives/command-store.ts'
import { openCutLine } from '../../support/servers/cut-line.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(() => database.drop())

const count = async (what: string): Promise<number> =>
  (await database.pool.query(`select count(*)::int as n from ${what}`)).rows[0].n
const counts = async () => ({
  events: await count('command_bus_event'),
  rows: await count('command_bus_command'),
  messages: await count('pgmq.q_payments__commands'),
})

describe('an append whose answer is lost after the commit', () => {
  test('is repeated, counts once, and still gives its message id', async () => {
    const line = await openCutLine(database.url)
    const pool = createPool(line.url, 3)
    const store = createCommandStore(pool)
    await store.append([sending('payments')])
    for (let i = 1; i <= 20; i++) {
      const [one, two] = [sending('payments'), sending('payments')]
      line.loseNextAnswerTo('command_bus_commit')
      const results = await store[i % 2 === 0 ? 'append' : 'appendAll']([one, two])
      expect(results).toEqual([
        { outcome: 'appended', stream: one.stream, revision: 0, msgId: expect.stringMatching(/^\d+$/) },
        { outcome: 'appended', stream: two.stream, revision: 0, msgId: expect.stringMatching(/^\d+$/) },
      ])
      expect(line.cuts()).toBe(i)
      const { rows } = await database.pool.query(
        `select msg_id from command_bus_command where command_id = any ($1) order by msg_id`,
        [[one, two].map(({ stream }) => stream.slice(-36))],
      )
      expect(rows.map(row => row.msg_id)).toEqual(results.map(result => 'msgId' in result && result.msgId))
    }
    expect(await counts()).toEqual({ events: 41, rows: 41, messages: 41 })
    await pool.end()
    await line.close()
  })

  test.each<['revision' | 'any']>([['revision'], ['any']])('counts once on an existing stream (%s)', async how => {
    const line = await openCutLine(database.url)
    const pool = createPool(line.url, 3)
    const store = createCommandStore(pool)
    const { stream } = sending('payments')
    await store.append([{ ...sending('payments'), stream }])
    for (let attempt = 1; attempt <= 5; attempt++) {
      line.loseNextAnswerTo('command_bus_commit')
      const results = await store.append([receiving(stream, how === 'any' ? 'any' : attempt - 1, attempt)])
      expect(results).toEqual([{ outcome: 'appended', stream, revision: attempt, msgId: null }])
    }
    expect(line.cuts()).toBe(5)
    expect(await store.readStream(stream)).toHaveLength(6)
    await pool.end()
    await line.close()
  })
})

test('500 appends whose connections end again and again store every event once, and report that', async () => {
  const url = new URL(database.url)
  url.searchParams.set('application_name', 'victim')
  const pool = createPool(url.href, 4)
  const victims = `select count(pg_terminate_backend(pid))::int as n from pg_stat_activity
                   where datname = current_database() and application_name in ('victim', 'commandbus')`
  const store = createCommandStore(pool)
  const appends = Array.from({ length: 500 }, () => sending('payments'))
  let killed = 0
  let done = 0
  const waiting = [...appends]
  const writer = async () => {
    for (let append = waiting.pop(); append !== undefined; append = waiting.pop()) {
      expect(await store.append([append])).toMatchObject([{ outcome: 'appended', revision: 0 }])
      if (++done % 10 === 0) killed += (await database.pool.query(victims)).rows[0].n
    }
  }
  await Promise.all([writer(), writer(), writer(), writer()])
  expect(killed).toBeGreaterThan(50)
  expect(await counts()).toEqual({ events: 500, rows: 500, messages: 500 })
  const { rows } = await database.pool.query('select id from command_bus_event')
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(appends.map(({ events }) => events[0]?.id)))
  await pool.end()
})

describe("within the caller's transaction", () => {
  test('a rollback undoes events, row and message', async () => {
    const store = createCommandStore(database.pool)
    await store.append([sending('payments')])
    const before = await counts()
    const client = await database.pool.connect()
    await client.query('begin')
    const append = sending('payments')
    const [result] = await store.append([append, sending('payments')], { within: client })
    expect(result).toMatchObject({ outcome: 'appended', msgId: expect.any(String) })
    await client.query('rollback')
    client.release()
    expect(await counts()).toEqual(before)
    expect(await store.append([append])).toMatchObject([{ outcome: 'appended' }])
  })

  test('an all-or-nothing append with a conflict leaves the transaction usable', async () => {
    const store = createCommandStore(database.pool)
    const taken = sending('payments')
    await store.append([taken])
    const before = await counts()
    const client = await database.pool.connect()
    client.on('error', () => {})
    await client.query('begin')
    const results = await store.appendAll([sending('payments'), { ...sending('payments'), stream: taken.stream }], {
      within: client,
    })
    expect(results.map(({ outcome }) => outcome)).toEqual(['not-tried', 'conflict'])
    await client.query('create table mine ()')
    await client.query('commit')
    client.release()
    expect(await counts()).toEqual(before)
    expect(await count('mine')).toBe(0)
  })
})

describe('queues', () => {
  test('a queue that was dropped meanwhile is made again', async () => {
    const store = createCommandStore(database.pool)
    await store.append([sending('payments')])
    await database.pool.query(`select pgmq.drop_queue('payments__commands')`)
    const [result] = await store.append([sending('payments')])
    expect(result).toMatchObject({ outcome: 'appended', msgId: '2' })
    expect(await counts()).toEqual({ events: 2, rows: 2, messages: 1 })
  })

  test('A14: the loser of a race for an id leaves no message', async () => {
    const store = createCommandStore(database.pool)
    const id = randomUUID()
    const rivals = Array.from({ length: 20 }, () => [sending('payments', id), sending('payments')])
    const results = await Promise.all(rivals.map(appends => store.append(appends)))
    expect(results.filter(([first]) => first?.outcome === 'appended')).toHaveLength(1)
    expect(results.filter(([, second]) => second?.outcome === 'appended')).toHaveLength(20)
    expect(await counts()).toEqual({ events: 21, rows: 21, messages: 21 })
    const { rows } = await database.pool.query(
      `select m.message->>'command_id' as queued, c.command_id from pgmq.q_payments__commands m
       full join command_bus_command c on c.msg_id = m.msg_id`,
    )
    for (const { queued, command_id } of rows) expect(queued).toBe(command_id)
    expect(await count('pgmq.a_payments__commands')).toBe(0)
  })
})
