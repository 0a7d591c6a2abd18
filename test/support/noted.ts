import * as t from 'io-ts'
import { eventCodec } from '../../src/infrastructure/codec/event-codec.ts'
import { createPostgresEventFeed } from '../../src/infrastructure/postgres/log/event-feed.ts'
import { createPostgresEventStore } from '../../src/infrastructure/postgres/log/event-store.ts'
import type { Noted, Opened, OpenTransaction } from '../contracts/contract-kit.ts'
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
    }),
    feed: createPostgresEventFeed(pool, notedCodec),
    begin: () => beginOn(database),
    close: () => database.drop(),
  }
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
