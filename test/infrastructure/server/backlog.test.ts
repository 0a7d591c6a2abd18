import fc from 'fast-check'
import pg, { type Pool, type PoolClient } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Queue } from '../../../src/application/ports/queue.ts'
import { createPgmqQueue } from '../../../src/infrastructure/postgres/queue/queue.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { queueStats } from '../../../src/infrastructure/postgres/queue/queue-stats.ts'
import { createReadPositions } from '../../../src/infrastructure/postgres/queue/read-positions.ts'
import { createCommandQueries } from '../../../src/infrastructure/postgres/reading/command-queries.ts'
import { until } from '../../support/bus.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

const MANY = 200_000
const QUEUE = 'busy__commands'
const TABLE = `pgmq.q_${QUEUE}`

let database: TestDatabase
let pool: Pool
beforeEach(async () => {
  database = await createTestDatabase()
  pool = database.pool
  await createQueueCatalog(pool).ensure(new Set([QUEUE]))
})
afterEach(() => database.drop())

/** Adds this many messages; the first is due at `vt`, each next one a microsecond later. */
const fill = (many: number, vt: string): Promise<unknown> =>
  pool.query(
    `insert into ${TABLE} (vt, message) select ${vt} + i * interval '1 microsecond', '{"a": 1}'
     from generate_series(1, $1::int) i`,
    [many],
  )

/** Keeps the server from removing dead rows until the returned function is called, or the database is dropped. */
const holdSnapshot = async (): Promise<() => Promise<void>> => {
  const holder = new pg.Client(database.url)
  holder.on('error', () => {})
  await holder.connect()
  await holder.query('begin isolation level repeatable read')
  await holder.query('select 1 from pg_class limit 1')
  return () => holder.end()
}

/** Blocks of a table and its indexes that the work touches, as the server counts them for the connection. */
const blocksOf = async <A>(work: (one: Pool) => Promise<A>, table = TABLE) => {
  const client: PoolClient = await pool.connect()
  const count = async (): Promise<number> => {
    const { rows } = await client.query(
      `select sum(pg_stat_get_xact_blocks_fetched(r))::float8 as n
       from (select $1::regclass as r union all select indexrelid from pg_index where indrelid = $1::regclass) t`,
      [table],
    )
    return rows[0].n
  }
  try {
    // a connection's first query reads the catalogue, too
    await work(client as unknown as Pool)
    await client.query('begin')
    const before = await count()
    const answer = await work(client as unknown as Pool)
    const blocks = (await count()) - before
    await client.query('commit')
    return { blocks, answer }
  } finally {
    client.release()
  }
}

/** A clock on which reads take time, so that not every read starts at the beginning. */
const ticking = (): (() => number) => {
  let ticks = 0
  return () => ++ticks
}

const reading =
  (positions = createReadPositions(ticking()), quantity = 10) =>
  (one: Pool) =>
    createPgmqQueue(one, createQueueCatalog(pool), positions).read(QUEUE, quantity, 30_000)

const idsOf = (read: Awaited<ReturnType<Queue['read']>>): readonly number[] => read.map(({ msgId }) => Number(msgId))

/** Far below one for each message before the place, far above what a read of ten needs. */
const LITTLE = 1_000

describe('R17: reads keep their cost', () => {
  test('R17: with 200,000 messages that wait for their next attempt', async () => {
    await fill(MANY, "now() + interval '1 hour'")
    await fill(100, "now() - interval '1 minute'")
    for (const prepare of ['select 1', `vacuum analyze ${TABLE}`]) {
      await pool.query(prepare)
      const { blocks, answer } = await blocksOf(reading())
      expect(answer).toHaveLength(10)
      expect(Math.min(...idsOf(answer))).toBeGreaterThan(MANY)
      expect(blocks).toBeLessThan(LITTLE)
    }
    const queue = createPgmqQueue(pool, createQueueCatalog(pool))
    await pool.query(`delete from ${TABLE} where msg_id > $1`, [MANY])
    const next = await blocksOf(() => queue.nextVisibleIn(QUEUE))
    expect(next.answer).toBeGreaterThan(0)
    const nothing = await blocksOf(reading())
    expect(nothing.answer).toEqual([])
    expect(nothing.blocks).toBeLessThan(LITTLE)
  })

  test('R17: with 200,000 messages that could all be read, in the order they became due', async () => {
    await fill(MANY, "now() - interval '1 hour'")
    const { blocks, answer } = await blocksOf(reading())
    expect(idsOf(answer)).toEqual(Array.from({ length: 10 }, (_, i) => i + 11))
    expect(blocks).toBeLessThan(LITTLE)
  })

  test('R17: a retry is read in order of the time it becomes due, before commands that are sent later', async () => {
    await fill(3, "now() - interval '1 minute'")
    await pool.query(`update ${TABLE} set vt = now() - interval '30 seconds' where msg_id = 1`)
    await fill(2, "now() - interval '10 seconds'")
    expect(idsOf(await reading()(pool))).toEqual([2, 3, 1, 4, 5])
  })

  test('R17: with a snapshot that is held while 20,000 messages are read and done', async () => {
    await fill(20_200, "now() - interval '1 hour'")
    // as they were sent: over some time
    await pool.query(`update ${TABLE} set vt = vt + msg_id * interval '10 milliseconds'`)
    await pool.query(`vacuum ${TABLE}`)
    const letGo = await holdSnapshot()
    const positions = createReadPositions(ticking())
    const queue = createPgmqQueue(pool, createQueueCatalog(pool), positions)
    for (let done = 0; done < 20_000; ) {
      const read = await queue.read(QUEUE, 1_000, 30_000)
      await pool.query('select pgmq.delete($1::text, $2::bigint[])', [QUEUE, read.map(({ msgId }) => msgId)])
      done += read.length
    }
    // the read from the beginning is over, and the next reads go on where it ended
    await queue.read(QUEUE, 10, 30_000)
    await queue.read(QUEUE, 10, 30_000)
    const on = await blocksOf(async one => {
      const look = createPgmqQueue(one, createQueueCatalog(pool), positions)
      return [await look.read(QUEUE, 1, 30_000), await look.nextVisibleIn(QUEUE)]
    })
    const whole = await blocksOf(one => reading(createReadPositions(), 1)(one))
    expect(on.answer[0]).toHaveLength(1)
    // neighbours share a block
    expect(whole.blocks).toBeGreaterThan(200)
    expect(on.blocks).toBeLessThan(whole.blocks / 4)
    await letGo()
  })

  test('R17: a message that was committed late, or handed back, is found by a later read from the beginning', async () => {
    await fill(10, "now() - interval '1 minute'")
    const positions = createReadPositions(ticking())
    const queue = createPgmqQueue(pool, createQueueCatalog(pool), positions)
    const read = await queue.read(QUEUE, 10, 30_000)
    expect(read).toHaveLength(10)
    await fill(1, "now() - interval '1 hour'")
    await pool.query(`update ${TABLE} set enqueued_at = now() - interval '1 hour' where msg_id = 1`)
    await queue.handBack(QUEUE, read.slice(0, 1), { uncount: true })
    const late: number[] = []
    for (let tries = 0; late.length < 2; tries++) {
      expect(tries).toBeLessThan(20)
      late.push(...idsOf(await queue.read(QUEUE, 10, 30_000)))
    }
    expect(late.sort()).toEqual([1, 11])
  })

  test('R17: a process that found nothing does not miss messages that others add meanwhile', async () => {
    await fill(20_000, "now() - interval '1 hour'")
    await pool.query(`vacuum ${TABLE}`)
    const letGo = await holdSnapshot()
    await pool.query(`delete from ${TABLE}`)
    const positions = createReadPositions(ticking())
    const look = (one: Pool) => createPgmqQueue(one, createQueueCatalog(pool), positions).read(QUEUE, 1, 30_000)
    const idle = await blocksOf(look)
    const whole = await blocksOf(
      reading(
        createReadPositions(() => 0),
        1,
      ),
    )
    expect(idle.answer).toEqual([])
    expect(idle.blocks).toBeLessThan(whole.blocks / 4)
    await letGo()
  })

  test("R17: messages that were handed back far behind a reader's place are found without a read from the beginning for each", async () => {
    await fill(60, "now() - interval '1 hour'")
    const queue = createPgmqQueue(pool, createQueueCatalog(pool), createReadPositions(ticking()))
    const read = await queue.read(QUEUE, 100, 30_000)
    await pool.query(`update ${TABLE} set enqueued_at = enqueued_at - interval '2 hours'`)
    await queue.handBack(QUEUE, read, { uncount: true })
    let looks = 0
    for (let found = 0; found < 60; looks++) found += (await queue.read(QUEUE, 4, 30_000)).length
    // fifteen reads that find something, and some until the first read from the beginning
    expect(looks).toBeLessThan(15 + 10)
  })
})

describe('R17: no message is skipped for ever', () => {
  /** What may happen to a queue; `n` chooses the messages. */
  type Step = readonly [
    what: 'send' | 'late' | 'past' | 'later' | 'done' | 'back' | 'retry' | 'other' | 'restart',
    n: number,
  ]
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.constantFrom('send', 'late', 'past', 'later', 'done', 'back', 'retry', 'other', 'restart'),
    fc.integer({ min: 1, max: 12 }),
  )
  const newQueue = () => createPgmqQueue(pool, createQueueCatalog(pool), createReadPositions(ticking()))

  test('R17: with two readers, senders and restarts every message is read and done once in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
        await pool.query(`truncate ${TABLE}`)
        const readers = [newQueue(), newQueue()]
        const done: string[] = []
        let sent = 0
        const late: PoolClient[] = []
        const readerOf = (n: number): Queue => readers[n % 2] as Queue
        const send = async (one: Pick<Pool, 'query'>, n: number, vt: string): Promise<void> => {
          sent += n
          await one.query(
            `insert into ${TABLE} (vt, message) select ${vt} + i * interval '1 millisecond', '{}' from generate_series(1, $1::int) i`,
            [n],
          )
        }
        const take = async (n: number): Promise<number> => {
          const read = await readerOf(n).read(QUEUE, n, 3_600_000)
          await pool.query('select pgmq.delete($1::text, $2::bigint[])', [QUEUE, read.map(({ msgId }) => msgId)])
          done.push(...read.map(({ msgId }) => msgId))
          return read.length
        }
        const handBack = async (n: number, uncount: boolean): Promise<void> => {
          const read = await readerOf(n).read(QUEUE, n, 3_600_000)
          // by the other process, which does not know the place of the first
          await readerOf(n + 1).handBack(QUEUE, read, { uncount })
        }
        const commitLate = async (): Promise<void> => {
          for (const client of late.splice(0)) {
            await client.query('commit')
            client.release()
          }
        }
        for (const [what, n] of steps) {
          if (what === 'send') await send(pool, n, 'clock_timestamp()')
          if (what === 'past') await send(pool, n, "now() - interval '1 day'")
          if (what === 'later') await send(pool, n, "now() + interval '50 milliseconds'")
          if (what === 'late' && late.length < 5) {
            const client = await pool.connect()
            late.push(client)
            await client.query('begin')
            await send(client, n, "now() - interval '1 minute'")
          }
          if (what === 'done') await take(n)
          if (what === 'back') await handBack(n, true)
          if (what === 'retry') await handBack(n, false)
          if (what === 'other') await commitLate()
          if (what === 'restart') readers[n % 2] = newQueue()
        }
        await commitLate()
        // one reader has to find all of them, because the other may be gone; each read may find only one
        await expect
          .poll(async () => {
            for (let looks = 0; looks < 20; looks++) await take(2)
            return done.length
          })
          .toBe(sent)
        expect(new Set(done).size).toBe(sent)
        const { rows } = await pool.query(`select count(*)::int as left from ${TABLE}`)
        expect(rows).toEqual([{ left: 0 }])
      }),
      { numRuns: 40 },
    )
  })

  test('R17: two readers at once, and a sender with long transactions', async () => {
    const senders = Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 25; i++) {
        const client = await pool.connect()
        await client.query('begin')
        await client.query('select pgmq.send_batch($1::text, $2::jsonb[])', [QUEUE, ['{}', '{}', '{}']])
        await client.query('select pg_sleep($1)', [(i % 5) / 200])
        await client.query('commit')
        client.release()
      }
    })
    const done: string[] = []
    const reader = async (): Promise<void> => {
      let queue = newQueue()
      for (let looks = 1; done.length < 300; looks++) {
        const read = await queue.read(QUEUE, 5, 3_600_000)
        const [first, ...others] = read
        if (looks % 7 === 0 && first !== undefined) await queue.handBack(QUEUE, [first], { uncount: true })
        else others.push(...(first === undefined ? [] : [first]))
        await pool.query('select pgmq.delete($1::text, $2::bigint[])', [QUEUE, others.map(({ msgId }) => msgId)])
        done.push(...others.map(({ msgId }) => msgId))
        if (looks % 50 === 0) queue = newQueue()
      }
    }
    await Promise.all([...senders, reader(), reader()])
    expect([...done].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1))
  })
})

describe('R17: stats keep their cost', () => {
  test('R17: of a queue of 200,000 messages, a quarter of them waiting, they are close estimates', async () => {
    await fill(50_000, "now() + interval '1 hour'")
    await fill(150_000, "now() - interval '1 hour'")
    await pool.query(`update ${TABLE} set enqueued_at = now() - interval '2 hours' where msg_id = 1`)
    // the server's own vacuum may be running, whose counts come later
    const { blocks, answer } = await until(
      async () => {
        await pool.query(`vacuum analyze ${TABLE}`)
        return blocksOf(queueStats)
      },
      seen => Math.abs((seen.answer[0]?.depth ?? 0) - MANY) < MANY * 0.1,
    )
    expect(blocks).toBeLessThan(LITTLE)
    const [stats] = answer
    expect(stats).toMatchObject({ queue: QUEUE, total: MANY, oldestAgeSeconds: expect.closeTo(7_200, -2) })
    expect(stats?.depth).toBeGreaterThan(MANY * 0.9)
    expect(stats?.depth).toBeLessThan(MANY * 1.1)
    expect(stats?.visible).toBeGreaterThan(150_000 * 0.8)
    expect(stats?.visible).toBeLessThan(150_000 * 1.2)
  })

  test('R17: of a queue with nothing but dead rows that a snapshot keeps', async () => {
    await fill(50_000, 'now()')
    const letGo = await holdSnapshot()
    await pool.query(`delete from ${TABLE}`)
    await queueStats(pool)
    const { blocks, answer } = await blocksOf(() => queueStats(pool))
    expect(answer).toMatchObject([{ depth: 0, visible: 0, oldestAgeSeconds: null, newestAgeSeconds: null }])
    expect(blocks).toBeLessThan(LITTLE)
    await letGo()
  })

  test('R17: groups of parked commands sort no messages', async () => {
    await pool.query(
      `insert into command_bus_command (domain, command_id, command_type, status, attempts, max_attempts, total_attempts,
         queue_name, correlation_id, retry_count, parked_at, parked_reason, last_error_code, last_error_msg, data_revision,
         created_at, updated_at, revision)
       select 'd', gen_random_uuid(), 'T', 'IN_TROUBLESHOOTING_QUEUE', 1, 3, 1, 'd__commands', 'c', 0,
         now() - i * interval '1 second', 'PERMANENT', 'BROKEN', i || (select string_agg(md5(i * n || ''), '') from generate_series(1, 100) n), 0, now(), now(), 1
       from generate_series(1, 2000) i`,
    )
    const { rows } = await pool.query(
      `select reltoastrelid::regclass::text as long from pg_class where oid = 'command_bus_command'::regclass`,
    )
    const { answer: groups, blocks } = await blocksOf(one => createCommandQueries(one).parkedGroups({}), rows[0].long)
    expect(groups).toMatchObject([
      { count: 2000, errorCode: 'BROKEN', sample: expect.stringMatching(/^1[0-9a-f]{900,}.*3201 characters/) },
    ])
    expect(blocks).toBeLessThan(100)
  })
})
