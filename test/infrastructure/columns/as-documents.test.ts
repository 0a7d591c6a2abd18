import fc from 'fast-check'
import type { Pool } from 'pg'
import { afterAll, expect, test } from 'vitest'
import type { AppendResult, EventStore, NewEvent, StreamAppend } from '../../../src/application/ports/event-store.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { rebuildCommands } from '../../../src/infrastructure/postgres/read-tables/rebuild.ts'
import { verifyCommands } from '../../../src/infrastructure/postgres/read-tables/verify.ts'
import { verifyLog } from '../../../src/infrastructure/proof/verification/verify.ts'
import { createTestDatabase } from '../../support/database.ts'
import { error, parked } from '../../support/lives/command-life.ts'
import { sending } from '../../support/lives/command-store.ts'
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
      { numRuns: 60 },
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
      expect([name, columns.calls.get(name) ?? 0]).toEqual([name, expect.toSatisfy((n: number) => n > 10)])
    }
    expect(columns.calls.get('command_bus_commit') ?? 0).toBeGreaterThan(0)
  },
)

test.each(['half of a pair: \ud83d', 'the other half: \ude00!', 'nothing: \u0000'])(
  'a text that PostgreSQL cannot hold (%j) is refused in columns as in documents, and leaves nothing',
  async text => {
    const sides = [await openSide('delete', 'columns'), await openSide('delete', 'documents')]
    const codes = await Promise.all(
      sides.map(async ({ pool, store }) => {
        const code = (work: Promise<unknown>) => work.then(() => 'done').catch(error => error.code ?? error.name)
        const [sent] = await store.append([sending('payments')])
        const { stream, msgId } = sent as Extract<AppendResult, { outcome: 'appended' }>
        const [event] = sending('payments').events as [NewEvent<CommandEvent>]
        const refused = [
          await code(
            store.append([withEvent(sending('payments'), event, { ...event.event, data: { text } } as never)]),
          ),
          await code(
            store.append([
              withEvent(
                { stream, expected: 0 },
                event,
                parked(1, 'PERMANENT', { msgId: msgId ?? '', error: error('PERMANENT', { message: text }) }),
              ),
            ]),
          ),
        ]
        const { rows } = await pool.query(
          'select (select count(*) from command_bus_event)::int as events, (select count(*) from pgmq.q_payments__commands)::int as messages',
        )
        expect(rows).toEqual([{ events: 1, messages: 1 }])
        return refused
      }),
    )
    expect(codes[0]).toEqual(codes[1])
    expect(codes[0]).not.toContain('done')
  },
)

const withEvent = (
  append: Pick<StreamAppend<CommandEvent>, 'stream' | 'expected'>,
  { id, context }: NewEvent<CommandEvent>,
  event: CommandEvent,
): StreamAppend<CommandEvent> => ({ ...append, events: [{ id, context, event }] })
