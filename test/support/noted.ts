import * as t from 'io-ts'
import { eventCodec } from '../../src/infrastructure/codec/event-codec.ts'
import { createPostgresEventFeed } from '../../src/infrastructure/postgres/log/event-feed.ts'
import { createPostgresEventStore } from '../../src/infrastructure/postgres/log/event-store.ts'
import { type Noted, noted, type Opened, type OpenTransaction } from '../../src/testing/ports/contract-kit.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

/** The stored form of the contract suite's event. */
export const notedCodec = eventCodec<Noted>({ Noted: { version: 1, data: t.type({ text: t.string }) } }, {})

/** A log of notes on a fresh database: no rows, no messages. */
export const openNotedStore = async (): Promise<Required<Opened> & { readonly database: TestDatabase }> => {
  const database = await createTestDatabase()
  const { pool } = database
  return {
    database,
    store: createPostgresEventStore<Noted>({
      pool,
      codec: notedCodec,
      projections: { row: () => null, effects: () => [] },
      ensureQueues: async () => {},
      onFilled: () => {},
      ofArchived: ({ stream, revision, status }) => [{ ...noted(status), id: stream, stream, revision }],
    }),
    feed: createPostgresEventFeed(pool, notedCodec),
    begin: () => beginOn(database),
    archive: stream => archiveOn(database, stream),
    close: () => database.drop(),
  }
}

const archiveOn = async ({ pool }: TestDatabase, stream: string): Promise<void> => {
  await pool.query(
    `insert into command_bus_archived_stream (stream, revision, hash, status, seal)
     select stream, revision, hash, 'COMPLETED', 0 from command_bus_event where stream = $1
     order by revision desc limit 1`,
    [stream],
  )
  await pool.query(
    `insert into command_bus_archived_event (xid, position, hash)
     select xid, position, hash from command_bus_event where stream = $1`,
    [stream],
  )
  await pool.query('delete from command_bus_event where stream = $1', [stream])
}

const beginOn = async ({ pool }: TestDatabase): Promise<OpenTransaction> => {
  const client = await pool.connect()
  await client.query('begin')
  const end = (statement: string) => async () => {
    await client.query(statement)
    client.release()
  }
  return { within: client, commit: end('commit'), rollback: end('rollback') }
}
