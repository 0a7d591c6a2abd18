import { EventEmitter } from 'node:events'
import pg, { type PoolConfig } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { databaseOn, notePooling } from '../../../src/infrastructure/postgres/connection/database.ts'
import type { Pooling } from '../../../src/infrastructure/postgres/connection/pooling.ts'
import type { RowsFirst } from '../../../src/infrastructure/postgres/connection/rows-first.ts'

type Config = Omit<PoolConfig, 'Client'> & { readonly pipeline?: boolean; readonly Client?: unknown }

/** A connection with a table that takes rows until its transaction ends. */
const connected = async (pooling: Pooling | null = 'none', config: Config = {}) => {
  const pool = new pg.Pool({ connectionString: inject('serverUrl'), ...config } as PoolConfig)
  const database = databaseOn(pool)
  if (pooling !== null) notePooling(pool, pooling)
  const client = await database.connect()
  onTestFinished(async () => {
    client.release()
    await pool.end()
  })
  await client.query(`
    create temp table t (n int);
    create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise 'not now'; end $$;
    create constraint trigger refuse after insert on t deferrable initially deferred for each row execute function pg_temp.refuse()`)
  return client
}

/** All that is heard of a statement, in order. */
const heard = async (client: pg.ClientBase, text: string, during = () => {}) => {
  const said: unknown[] = []
  const statement: RowsFirst = { text, values: [], onRows: rows => void said.push(rows) }
  const answer = client.query(statement)
  during()
  await answer.then(
    ({ rows, rowCount }) => said.push({ rows, rowCount }),
    error => said.push(String(error)),
  )
  return said
}

const TWO = 'select n::int4 as n from generate_series(1, 2) n'
const INSERT = 'insert into t select 1 returning n'
const rows = [{ n: 1 }, { n: 2 }]

test.each<[string, Config]>([
  ['an ordinary client', {}],
  ['one that sends statements ahead', { pipeline: true }],
])('%s passes rows on before the commit, and is as good as before whatever becomes of that', async (_, config) => {
  const client = await connected('none', config)
  expect(await heard(client, TWO)).toEqual([rows, { rows, rowCount: 2 }])
  expect(await heard(client, 'select 1 as n where false')).toEqual([[], { rows: [], rowCount: 0 }])
  expect(await heard(client, 'select 1 / 0 as n')).toEqual(['error: division by zero'])
  expect(await heard(client, INSERT)).toEqual([[{ n: 1 }], 'error: not now'])
  expect((await client.query({ text: 'select count(*)::int4 as n from t where n > $1', values: [0] })).rows).toEqual([
    { n: 0 },
  ])
})

const Foreign = new Proxy(pg.Client, {
  construct: (Client, [config]) => new Proxy(new Client(config), { getPrototypeOf: () => EventEmitter.prototype }),
})

test.each<[string, Pooling | null, Config]>([
  ['behind a pooler', 'transaction', {}],
  ['while nobody knows whether there is a pooler', null, {}],
  ['on a client of another copy of pg', 'none', { Client: Foreign }],
])('the rows come with the answer %s', async (_, pooling, config) => {
  const client = await connected(pooling, config)
  expect(await heard(client, TWO)).toEqual([{ rows, rowCount: 2 }])
  expect(await heard(client, INSERT)).toEqual(['error: not now'])
})

test('a time limit of the user does not count the time in which the event loop was blocked', async () => {
  const client = await connected('none', { query_timeout: 20 })
  const block = (): void => {
    for (const end = performance.now() + 60; performance.now() < end; );
  }
  expect(await heard(client, TWO, block)).toEqual([rows, { rows, rowCount: 2 }])
})
