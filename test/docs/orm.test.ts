import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'

test('R21: the page on ORMs names each table of the bus', async () => {
  const page = await readFile(new URL('../../docs/orm.md', import.meta.url), 'utf8')
  const database = await createTestDatabase()
  const { rows } = await database.pool.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where starts_with(c.relname::text, 'command_bus_') and c.relkind in ('r', 'p')`,
  )
  await database.drop()
  const named = [...page.matchAll(/'(public\.command_bus_\w+)'/g)].map(([, name]) => name)
  expect(named.toSorted()).toEqual(rows.map(({ name }) => name).toSorted())
})
