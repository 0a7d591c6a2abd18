import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPgmqQueue } from '../../../src/infrastructure/postgres/queue/queue.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
  await database.pool.query(`select pgmq.create('q__commands')`)
})
afterEach(() => database.drop())

test('G7: only the last queues are remembered; a forgotten one is looked up again', async () => {
  const catalog = createQueueCatalog(database.pool, 3)
  const names = Array.from({ length: 8 }, (_, i) => `r${i}__replies`)
  for (const name of names) await catalog.ensure(new Set([name]))
  expect(names.filter(catalog.isKnown)).toEqual(names.slice(-3))
  expect(await catalog.unmade(new Set([...names, 'x__replies']))).toEqual(['x__replies'])
  await catalog.ensure(new Set(names))
  const { rows } = await database.pool.query(`select count(*)::int as n from pgmq.meta where queue_name ~ '^r[0-7]__'`)
  expect(rows).toEqual([{ n: 8 }])
})

describe('how long until a message is visible', () => {
  const nextVisibleIn = () =>
    createPgmqQueue(database.pool, createQueueCatalog(database.pool)).nextVisibleIn('q__commands')

  test('is unknown for an empty queue: a worker waits for a notification or its next poll', async () => {
    expect(await nextVisibleIn()).toBeNull()
  })

  test('is 0 for a visible message, the time left for a hidden one, and that of the first of many', async () => {
    await database.pool.query(`select pgmq.send('q__commands', '{}', 3600)`)
    const hidden = await nextVisibleIn()
    expect(hidden).toBeGreaterThan(0)
    expect(hidden).toBeLessThanOrEqual(3_600_000)
    await database.pool.query(`select pgmq.send('q__commands', '{}')`)
    expect(await nextVisibleIn()).toBe(0)
  })
})

describe('a read that is no longer the last one', () => {
  const rows = async () =>
    (
      await database.pool.query(
        `select msg_id, read_ct, vt, vt > now() as hidden from pgmq.q_q__commands order by msg_id`,
      )
    ).rows

  /** Both messages as an earlier reader and as the present one know them. */
  const readTwice = async () => {
    const queue = createPgmqQueue(database.pool, createQueueCatalog(database.pool))
    await database.pool.query(`select pgmq.send_batch('q__commands', array['{}', '{}']::jsonb[])`)
    const earlier = await queue.read('q__commands', 2, 60_000)
    await database.pool.query('update pgmq.q_q__commands set vt = now()')
    const present = await queue.read('q__commands', 2, 60_000)
    expect([earlier.map(({ delivery }) => delivery), present.map(({ delivery }) => delivery)]).toEqual([
      [1, 1],
      [2, 2],
    ])
    return { queue, earlier, present }
  }

  test.each([true, false])(
    'hands nothing back: the present reader keeps its lease and its count (uncount: %s)',
    async uncount => {
      const { queue, earlier, present } = await readTwice()
      const before = await rows()
      await queue.handBack('q__commands', earlier, { uncount })
      expect(await rows()).toEqual(before)
      // among others that are the caller's, too
      const [first, second] = [earlier[0], present[1]]
      if (first === undefined || second === undefined) return expect.unreachable()
      await queue.handBack('q__commands', [first, second], { uncount })
      expect(await rows()).toMatchObject([
        { read_ct: 2, hidden: true },
        { read_ct: uncount ? 1 : 2, hidden: false },
      ])
    },
  )

  test('extends nothing, and gets the list of messages that are still its own', async () => {
    const { queue, earlier, present } = await readTwice()
    const before = await rows()
    expect(await queue.extend('q__commands', earlier, 3_600_000)).toEqual([])
    expect(await rows()).toEqual(before)
    expect(await queue.extend('q__commands', present, 3_600_000)).toEqual(present.map(({ msgId }) => msgId))
    expect((await rows()).map(({ vt }, i) => vt > before[i].vt)).toEqual([true, true])
  })
})

describe('vacuum settings of the tables of a queue', () => {
  const settings = async () => {
    const { rows } = await database.pool.query<{ name: string; settings: readonly string[] | null }>(
      `select relname as name, reloptions as settings from pg_class
       where relnamespace = 'pgmq'::regnamespace and relkind = 'r' and relname ~ '^[qa]_.*__'`,
    )
    return Object.fromEntries(rows.map(row => [row.name, row.settings]))
  }
  const ofQueue = [
    'autovacuum_vacuum_threshold=1000',
    'autovacuum_vacuum_scale_factor=0.01',
    'autovacuum_vacuum_cost_delay=0',
  ]
  const ofArchive = ['autovacuum_vacuum_insert_scale_factor=0.05']
  const ensure = (...queues: readonly string[]) => createQueueCatalog(database.pool).ensure(new Set(queues))

  test('are set when the bus makes the queue, and on a queue of commands that existed', async () => {
    await ensure('new__commands', 'new__replies', 'q__commands')
    expect(await settings()).toEqual({
      ...{ q_new__commands: ofQueue, a_new__commands: ofArchive },
      ...{ q_new__replies: ofQueue, a_new__replies: ofArchive },
      ...{ q_q__commands: ofQueue, a_q__commands: ofArchive },
    })
  })

  test('stay as somebody chose them, as they are in tables of another role, and never keep a queue from use', async () => {
    const role = `tend_${process.pid}_${Date.now()}`
    const client = await database.pool.connect()
    try {
      await client.query(`alter table pgmq.q_q__commands set (autovacuum_vacuum_threshold = 7)`)
      await client.query(`create role ${role}`)
      await client.query(`alter function command_bus_tend_queue(text) security definer`)
      await client.query(`alter function command_bus_tend_queue(text) owner to ${role}`)
      await client.query(`grant usage on schema pgmq to ${role}`)
      await ensure('q__commands')
      expect(await settings()).toEqual({ q_q__commands: ['autovacuum_vacuum_threshold=7'], a_q__commands: null })

      await client.query(`alter function command_bus_tend_queue(text) owner to current_user`)
      await client.query('begin; lock table pgmq.a_q__commands in share update exclusive mode')
      await ensure('q__commands')
      await client.query('commit')
      expect((await settings()).a_q__commands).toBeNull()
      await ensure('q__commands')
      expect((await settings()).a_q__commands).toEqual(ofArchive)
    } finally {
      await client.query(`rollback; drop owned by ${role}; drop role ${role}`)
      client.release()
    }
  })
})
