import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AppendResult, StreamAppend } from '../../../src/application/ports/event-store.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { createPool } from '../../../src/infrastructure/postgres/transactions/pool.ts'
import { verifyLog } from '../../../src/infrastructure/proof/verification/verify.ts'
import { until } from '../../support/bus.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { receiving, sending } from '../../support/lives/command-store.ts'
import { completing, createBusStore } from '../../support/lives/commit-lanes.ts'
import { randomOf } from '../../support/lives/history.ts'

let database: TestDatabase
let pool: Pool
const pools: Pool[] = []
beforeEach(async () => {
  database = await createTestDatabase()
  pool = database.pool
})
afterEach(async () => {
  for (const one of pools.splice(0)) await one.end()
  await database.drop()
})

const another = (): Pool => {
  const made = createPool(database.url, 5)
  pools.push(made)
  return made
}

const count = async (what: string): Promise<number> =>
  (await pool.query(`select count(*)::int as n from ${what}`)).rows[0].n
const counts = async () => ({
  events: await count('command_bus_event'),
  rows: await count('command_bus_command'),
  messages: await count('pgmq.q_payments__commands'),
})
const outcomes = (results: readonly AppendResult[]) => results.map(({ outcome }) => outcome)
const msgIdOf = (result: AppendResult | undefined): string =>
  result?.outcome === 'appended' ? String(result.msgId) : 'none'

/** Sends so many commands; gives their streams and messages. */
const send = async (n: number, store = createBusStore(pool)) => {
  const sent = await store.append(Array.from({ length: n }, () => sending('payments')))
  return sent.map(result => ({ stream: result.stream, msgId: msgIdOf(result) }))
}

const shuffled = <A>(all: readonly A[], random: () => number): readonly A[] =>
  all
    .map(one => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)

describe('who loses its race in the middle of a unit of work', () => {
  test('leaves nothing of a send behind, and the others are sent', async () => {
    const store = createBusStore(pool)
    const taken = sending('payments')
    const [first] = await store.append([taken])
    const again = { ...sending('payments', taken.stream.slice(-36)) }
    const others = [sending('payments'), sending('refunds'), sending('payments')] as const
    const results = await store.append([others[0], again, others[1], others[2]])
    expect(outcomes(results)).toEqual(['appended', 'conflict', 'appended', 'appended'])
    expect(await counts()).toEqual({ events: 4, rows: 4, messages: 3 })
    expect(await count('pgmq.q_refunds__commands')).toBe(1)
    const own = await pool.query(
      `select q.msg_id::text, q.message->>'command_id' as id, c.msg_id::text as of_row from pgmq.q_payments__commands q
       join command_bus_command c on c.command_id::text = q.message->>'command_id' order by q.msg_id`,
    )
    expect(own.rows).toEqual(
      [first, results[0], results[3]].map(result => {
        const msgId = msgIdOf(result)
        return { msg_id: msgId, id: result?.stream.slice(-36), of_row: msgId }
      }),
    )
    expect((await verifyLog(pool)).findings).toEqual([])
  })

  test('leaves nothing of a report behind, its message stays, and the others are reported with their replies', async () => {
    const store = createBusStore(pool)
    const sent = await send(4, store)
    const reports = sent.map(({ stream, msgId }, i) => completing(stream, msgId, { replyTo: 'answers', apart: i > 0 }))
    const [one, late, , ahead] = sent as [(typeof sent)[0], (typeof sent)[0], (typeof sent)[0], (typeof sent)[0]]
    await store.append([receiving(late.stream, 0, 1)])
    const before = await counts()
    const results = await store.append([
      ...reports.slice(0, 3),
      completing(ahead.stream, ahead.msgId, { replyTo: 'answers', expected: 1 }),
    ])
    expect(outcomes(results)).toEqual(['appended', 'conflict', 'appended', 'conflict'])
    expect(await counts()).toEqual({ ...before, events: before.events + 3, messages: 2 })
    const replies = await pool.query(`select message->>'command_id' as id from pgmq.q_answers order by msg_id`)
    expect(replies.rows.map(({ id }) => id)).toEqual([one.stream, sent[2]?.stream].map(stream => stream?.slice(-36)))
    const left = await pool.query('select msg_id::text as id from pgmq.q_payments__commands order by msg_id')
    expect(left.rows.map(({ id }) => id)).toEqual([late.msgId, ahead.msgId])
    const rows = await pool.query('select status, revision::int from command_bus_command order by msg_id')
    expect(rows.rows).toEqual([
      { status: 'COMPLETED', revision: 1 },
      { status: 'IN_PROGRESS', revision: 1 },
      { status: 'COMPLETED', revision: 2 },
      { status: 'PENDING', revision: 0 },
    ])
    expect((await verifyLog(pool)).findings).toEqual([])
  })

  test('leaves nothing if all lose', async () => {
    const store = createBusStore(pool)
    const [sent] = await send(1, store)
    const { stream = '', msgId = '' } = sent ?? {}
    await store.append([completing(stream, msgId, { replyTo: 'answers' })])
    const before = await counts()
    expect(outcomes(await store.append([completing(stream, msgId, { replyTo: 'answers' })], { brief: true }))).toEqual([
      'conflict',
    ])
    expect(outcomes(await store.append([sending('payments', stream.slice(-36))]))).toEqual(['conflict'])
    expect(await counts()).toEqual(before)
    expect(await count('pgmq.q_answers')).toBe(1)
  })
})

/** Deadlocks that PostgreSQL ended: their victims try again, so that callers notice nothing but the time it took. */
const deadlocks = async (): Promise<number> => {
  for (const one of pools.splice(0)) await one.end()
  // a session writes its figures down when it ends
  await until(
    () =>
      pool.query(`select from pg_stat_activity where datname = current_database() and application_name = 'commandbus'`),
    ({ rowCount }) => rowCount === 0,
  )
  const { rows } = await pool.query(
    'select deadlocks::int as n from pg_stat_database where datname = current_database()',
  )
  return rows[0].n
}

describe('20 at once, through two pools, on commands that overlap', () => {
  test.each([true, false])('send each id once, and nobody gets an error (brief: %s)', async brief => {
    const stores = [createBusStore(another()), createBusStore(another())] as const
    await send(1)
    // a brief commit that meets a lock goes one by one, as documents
    const random = randomOf(5)
    const ids = Array.from({ length: 60 }, () => randomUUID())
    const runs = Array.from({ length: 20 }, async (_, i) => {
      let open = shuffled(ids, random).slice(0, 45)
      let won = 0
      // brief: what another one holds at the moment is tried again, as callers do
      while (open.length > 0) {
        const results = await stores[(i % 2) as 0 | 1].append(
          open.map(id => sending('payments', id)),
          { brief },
        )
        won += results.filter(({ outcome }) => outcome === 'appended').length
        open = open.filter((_, j) => results[j]?.outcome === 'held')
      }
      return won
    })
    const won = (await Promise.all(runs)).reduce((a, b) => a + b)
    const sent = await count(`command_bus_command where command_id = any ('{${ids}}')`)
    expect(won).toBe(sent)
    expect(await counts()).toEqual({ events: sent + 1, rows: sent + 1, messages: sent + 1 })
    expect(await deadlocks()).toBe(0)
    expect((await verifyLog(pool)).findings).toEqual([])
  })

  test('report each command once, with one reply, and nobody gets an error', async () => {
    const stores = [createBusStore(another()), createBusStore(another())] as const
    const sent = await send(60)
    const random = randomOf(6)
    const runs = Array.from({ length: 20 }, (_, i) =>
      stores[(i % 2) as 0 | 1].append(
        shuffled(sent, random)
          .slice(0, 45)
          .map(({ stream, msgId }) => completing(stream, msgId, { replyTo: 'answers' })),
      ),
    )
    const won = (await Promise.all(runs)).flat().filter(({ outcome }) => outcome === 'appended')
    const done = await count(`command_bus_command where status = 'COMPLETED'`)
    expect(won).toHaveLength(done)
    expect(await counts()).toEqual({ events: 60 + done, rows: 60, messages: 60 - done })
    const replies = await pool.query(
      `select count(*)::int as n, count(distinct message->>'command_id')::int as commands from pgmq.q_answers`,
    )
    expect(replies.rows).toEqual([{ n: done, commands: done }])
    expect(await deadlocks()).toBe(0)
    expect((await verifyLog(pool)).findings).toEqual([])
  })
})

describe('in a transaction of the caller', () => {
  const within = async (isolation: string, work: (append: Append, query: Pool['query']) => Promise<unknown>) => {
    const store = createBusStore(pool)
    const client = await pool.connect()
    await client.query(`begin isolation level ${isolation}`)
    try {
      await work(
        appends => store.append(appends, { within: client }),
        client.query.bind(client) as unknown as Pool['query'],
      )
    } finally {
      await client.query('rollback')
      client.release()
    }
  }
  type Append = (appends: readonly StreamAppend<CommandEvent>[]) => Promise<readonly AppendResult[]>

  test.each(['read committed', 'repeatable read', 'serializable'])(
    '%s: a rollback leaves nothing, a savepoint what was before it, a commit everything',
    async isolation => {
      const [sent] = await send(1)
      const { stream = '', msgId = '' } = sent ?? {}
      const before = await counts()
      await within(isolation, async append => {
        const results = await append([sending('payments'), sending('payments')])
        expect(outcomes(results)).toEqual(['appended', 'appended'])
        expect(outcomes(await append([completing(stream, msgId)]))).toEqual(['appended'])
      })
      expect(await counts()).toEqual(before)
      await within(isolation, async (append, query) => {
        await append([sending('payments')])
        await query('savepoint mine')
        await append([sending('payments')])
        await append([completing(stream, msgId)])
        await query('rollback to savepoint mine')
        // what was rolled back is not taken
        expect(outcomes(await append([completing(stream, msgId)]))).toEqual(['appended'])
        await query('commit')
      })
      expect(await counts()).toEqual({ events: before.events + 2, rows: 2, messages: 1 })
      expect((await verifyLog(pool)).findings).toEqual([])
    },
  )

  test.each(['repeatable read', 'serializable'])(
    '%s: what another one committed since is refused as PostgreSQL does, and nothing is left',
    async isolation => {
      const sent = await send(2)
      const [one, two] = sent as [(typeof sent)[0], (typeof sent)[0]]
      const store = createBusStore(pool)
      const id = randomUUID()
      for (const [theirs, mine] of [
        [[sending('payments', id)], [sending('payments'), sending('payments', id)]],
        [[completing(one.stream, one.msgId)], [completing(one.stream, one.msgId), completing(two.stream, two.msgId)]],
      ] as const) {
        await within(isolation, async (append, query) => {
          await query('select 1 from command_bus_event limit 1')
          await store.append(theirs)
          const before = await counts()
          await expect(append(mine)).rejects.toMatchObject({ code: '40001' })
          await query('rollback')
          expect(await counts()).toEqual(before)
        })
      }
    },
  )
})

describe('an id whose command was archived', () => {
  const archive = async (streams: readonly string[]) => {
    await pool.query(
      `insert into command_bus_archived_stream (stream, revision, hash, status, seal)
       select s, 0, '', 'COMPLETED', 0 from unnest($1::text[]) s`,
      [streams],
    )
  }

  test('is refused, and the others of the batch are sent', async () => {
    const store = createBusStore(pool)
    const appends = [sending('payments'), sending('payments'), sending('payments')]
    await archive([appends[1]?.stream ?? ''])
    const results = await store.append(appends)
    expect(outcomes(results)).toEqual(['appended', 'conflict', 'appended'])
    expect(await counts()).toEqual({ events: 2, rows: 2, messages: 2 })
  })

  test.each(['repeatable read', 'serializable'])(
    '%s: is refused too if it was archived after the transaction began',
    async isolation => {
      const store = createBusStore(pool)
      await send(1, store)
      const append = sending('payments')
      const client = await pool.connect()
      await client.query(`begin isolation level ${isolation}`)
      await client.query('select 1 from command_bus_event')
      await archive([append.stream])
      await expect(store.append([append], { within: client })).rejects.toMatchObject({ code: '40001' })
      await client.query('rollback')
      client.release()
      expect(await counts()).toEqual({ events: 1, rows: 1, messages: 1 })
    },
  )
})

describe('locks and queues', () => {
  test('a report whose message is locked is held alone; the others of the unit are committed', async () => {
    const store = createBusStore(pool)
    const sent = await send(5, store)
    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query('select from pgmq.q_payments__commands where msg_id = $1 for update', [sent[2]?.msgId])
    const reports = sent.map(({ stream, msgId }) => completing(stream, msgId, { replyTo: 'answers' }))
    const results = await store.append(reports, { brief: true })
    expect(outcomes(results)).toEqual(['appended', 'appended', 'held', 'appended', 'appended'])
    expect(await counts()).toEqual({ events: 9, rows: 5, messages: 1 })
    await holder.query('rollback')
    holder.release()
    expect(outcomes(await store.append(reports.slice(2, 3), { brief: true }))).toEqual(['appended'])
    expect(await count('pgmq.q_answers')).toBe(5)
  })

  test('a queue that was dropped meanwhile is made again, also that of the replies', async () => {
    const store = createBusStore(pool)
    const [first, second] = await send(2, store)
    await store.append([completing(first?.stream ?? '', first?.msgId ?? '', { replyTo: 'answers' })])
    await pool.query(`select pgmq.drop_queue('answers')`)
    const report = completing(second?.stream ?? '', second?.msgId ?? '', { replyTo: 'answers' })
    expect(outcomes(await store.append([report]))).toEqual(['appended'])
    expect(await count('pgmq.q_answers')).toBe(1)
    await pool.query(`select pgmq.drop_queue('payments__commands')`)
    for (const brief of [true, false]) {
      expect(outcomes(await store.append([sending('payments')], { brief }))).toEqual(['appended'])
      expect(await count('pgmq.q_payments__commands')).toBe(1)
      await pool.query(`select pgmq.drop_queue('payments__commands')`)
    }
  })

  test.each([true, false])(
    'a reply whose queue cannot be made is kept; the others of the unit are delivered (brief: %s)',
    async brief => {
      const store = createBusStore(pool)
      const sent = await send(3, store)
      await pool.query('create view pgmq.q_spoiled as select 1 as nothing')
      const queues = ['answers', 'spoiled', 'answers']
      const reports = sent.map(({ stream, msgId }, i) => completing(stream, msgId, { replyTo: queues[i] as string }))
      expect(outcomes(await store.append(reports, { brief }))).toEqual(['appended', 'appended', 'appended'])
      expect(await counts()).toEqual({ events: 6, rows: 3, messages: 0 })
      expect(await count('pgmq.q_answers')).toBe(2)
      const kept = await pool.query('select queue, command_id::text as id from command_bus_undelivered')
      expect(kept.rows).toEqual([{ queue: 'spoiled', id: sent[1]?.stream.slice(-36) }])
    },
  )
})
