import fc from 'fast-check'
import type { Pool } from 'pg'
import { afterAll, expect, test } from 'vitest'
import type { AppendResult, EventStore, StreamAppend } from '../../../src/application/ports/event-store.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { rebuildCommands } from '../../../src/infrastructure/postgres/read-tables/rebuild.ts'
import { verifyCommands } from '../../../src/infrastructure/postgres/read-tables/verify.ts'
import { verifyLog } from '../../../src/infrastructure/proof/verification/verify.ts'
import { createTestDatabase } from '../../support/database.ts'
import { createBusStore, crowd, liveTogether, refuseColumns } from '../../support/lives/commit-lanes.ts'
import { settled } from '../../support/settled.ts'

const cleanUps: (() => unknown)[] = []
afterAll(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

interface Side {
  readonly pool: Pool
  readonly store: EventStore<CommandEvent>
  /** The functions that committed something here, and how often. */
  readonly calls: Map<string, number>
}

const openSide = async (onSuccess: 'delete' | 'archive', as: 'columns' | 'documents'): Promise<Side> => {
  const { pool, drop } = await createTestDatabase()
  cleanUps.push(drop)
  if (as === 'documents') await refuseColumns(pool)
  const calls = new Map<string, number>()
  const query = pool.query.bind(pool) as (...given: unknown[]) => Promise<unknown>
  const counted = async (...given: unknown[]) => {
    const [first] = given as [string | { text: string }]
    const name = /command_bus_commit\w*/.exec(typeof first === 'string' ? first : first.text)?.[0]
    if (name !== undefined) calls.set(name, (calls.get(name) ?? 0) + 1)
    return query(...given)
  }
  Object.assign(pool, { query: counted })
  return { pool, store: createBusStore(pool, onSuccess), calls }
}

const appendOn = async (
  { pool, store }: Side,
  appends: readonly StreamAppend<CommandEvent>[],
  how: 'alone' | 'brief' | 'within',
): Promise<readonly AppendResult[]> => {
  if (how !== 'within') return store.append(appends, { brief: how === 'brief' })
  const client = await pool.connect()
  await client.query('begin')
  const results = await store.append(appends, { within: client })
  await client.query('commit')
  client.release()
  return results
}

const rowsOf = async (pool: Pool) =>
  (await pool.query('select to_jsonb(c) as row from command_bus_command c order by domain, command_id')).rows

/** Everything there is about these streams, besides what a clock said, and the seconds until each message can be seen. */
const everything = async ({ pool }: Side, streams: readonly string[]) => {
  const ids = streams.map(stream => stream.slice(-36))
  const events = await pool.query(
    `select stream, revision, id, type, data, meta, msg_id from command_bus_event where stream = any ($1) order by 1, 2`,
    [streams],
  )
  const rows = await pool.query(
    'select to_jsonb(c) as row from command_bus_command c where command_id = any ($1) order by domain, command_id',
    [ids],
  )
  const undelivered = await pool.query('select count(*) from command_bus_undelivered')
  const queues = await pool.query('select queue_name from pgmq.list_queues() order by 1')
  const messages: unknown[] = []
  const waits: number[] = []
  for (const { queue_name } of queues.rows) {
    for (const table of ['q', 'a']) {
      const found = await pool.query(
        `select msg_id, read_ct, message, extract(epoch from vt - clock_timestamp())::float8 as wait
         from pgmq."${table}_${queue_name}" where message->>'command_id' = any ($1) order by msg_id`,
        [ids],
      )
      for (const { wait, ...message } of found.rows) {
        messages.push({ in: `${table}_${queue_name}`, ...message })
        waits.push(wait)
      }
    }
  }
  return { said: { events: events.rows, rows: rows.rows, undelivered: undelivered.rows, messages }, waits }
}

/** Waits are 0, 1,000 or 100,000 seconds: a slow machine adds less than their difference. */
const SLOW_S = 300

test.each(['delete', 'archive'] as const)(
  'units of work as columns leave the same events, rows, messages and replies as documents (on success: %s)',
  async onSuccess => {
    const columns = await openSide(onSuccess, 'columns')
    const documents = await openSide(onSuccess, 'documents')
    await fc.assert(
      fc.asyncProperty(crowd, async given => {
        const streams = await liveTogether(given, async (appends, how) => {
          const results = await appendOn(columns, appends, how)
          expect(results).toEqual(await appendOn(documents, appends, how))
          return results
        })
        const [one, other] = [await everything(columns, streams), await everything(documents, streams)]
        expect(one.said).toEqual(other.said)
        for (const [i, wait] of one.waits.entries()) {
          expect(Math.abs(wait - (other.waits[i] as number))).toBeLessThan(SLOW_S)
        }
      }),
      { numRuns: 120 },
    )
    for (const { pool } of [columns, documents]) {
      await settled(pool)
      const rows = await rowsOf(pool)
      expect(await verifyCommands({ pool })).toEqual([])
      expect(await verifyLog(pool)).toMatchObject({ findings: [], strangers: 0, commands: rows.length })
      await rebuildCommands({ pool })
      expect(await rowsOf(pool)).toEqual(rows)
    }
    // neither property holds by accident: both kinds of columns were used, and on the other side none
    for (const name of ['command_bus_commit_sent', 'command_bus_commit_reports']) {
      expect([name, columns.calls.get(name) ?? 0]).toEqual([name, expect.toSatisfy((n: number) => n > 20)])
    }
    expect(columns.calls.get('command_bus_commit') ?? 0).toBeGreaterThan(0)
  },
)
