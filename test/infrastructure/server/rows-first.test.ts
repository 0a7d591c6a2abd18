import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { databaseOn, notePooling } from '../../../src/infrastructure/postgres/connection/database.ts'
import type { Pooling } from '../../../src/infrastructure/postgres/connection/pooling.ts'
import type { RowsFirst } from '../../../src/infrastructure/postgres/connection/rows-first.ts'

const TWO = `select n::int4 as n from generate_series(1, 2) n`

/** What one statement says, in order, on a pool of one connection. */
const heard = async (
  text: string,
  pooling: Pooling | null = 'none',
  config: pg.PoolConfig & { pipeline?: boolean } = {},
) => {
  const pool = new pg.Pool({ connectionString: inject('serverUrl'), max: 1, ...config })
  onTestFinished(() => pool.end())
  const database = databaseOn(pool)
  if (pooling !== null) notePooling(pool, pooling)
  await database.query(`
    create temp table t (n int);
    create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise 'not now'; end $$;
    create constraint trigger refuse after insert on t deferrable initially deferred for each row execute function pg_temp.refuse()`)
  const said: unknown[] = []
  const statement: RowsFirst = { text, values: [], onRows: rows => void said.push(rows) }
  await database.query(statement).then(
    ({ rows, rowCount }) => said.push({ rows, rowCount }),
    error => said.push(String(error)),
  )
  // the connection is as good as before
  expect((await database.query({ text: 'select $1::int4 as one', values: [1] })).rows).toEqual([{ one: 1 }])
  return said
}

const rows = [{ n: 1 }, { n: 2 }]

test.each<[string, Pooling | null, { pipeline?: boolean }]>([
  ['at once', 'none', {}],
  ['behind a pooler, with the answer', 'transaction', {}],
  ['while the kind of pooler is not known', null, {}],
  ['on a client that sends ahead, with the answer', 'none', { pipeline: true }],
])('the rows of a statement are passed on once, before its answer: %s', async (_, pooling, config) => {
  expect(await heard(TWO, pooling, config)).toEqual([rows, { rows, rowCount: 2 }])
})

test('a statement without rows passes on that it has none, and one that fails passes on nothing', async () => {
  expect(await heard('select 1 as n where false')).toEqual([[], { rows: [], rowCount: 0 }])
  expect(await heard('select 1 / 0 as n')).toEqual(['error: division by zero'])
})

test('a statement that cannot be committed has passed its rows on before it fails', async () => {
  const inserting = 'insert into t select 1 returning n'
  expect(await heard(inserting)).toEqual([[{ n: 1 }], 'error: not now'])
  expect(await heard(inserting, 'session')).toEqual(['error: not now'])
})
