import type { ClientBase } from 'pg'
import { type Columns, type ReadTable, readTables } from '../../projections/row-write.ts'
import type { Drift } from './drift.ts'
import { foldedWorkflows, rowsOf } from './workflow-fold.ts'

const tables = Object.keys(readTables) as readonly ReadTable[]

/** Compares every column of every row of runs, templates and credits with the log. To be called in a snapshot. */
export const verifyWorkflows = async (client: ClientBase, limit: number): Promise<readonly Drift[]> => {
  const drift: Drift[] = []
  const counts = new Map<ReadTable, number>()
  for await (const { stream, writes } of foldedWorkflows(client)) {
    for (const table of tables) {
      const expected = rowsOf(writes, table)
      if (expected.length === 0) continue
      counts.set(table, (counts.get(table) ?? 0) + expected.length)
      drift.push(...(await compare(client, table, stream, expected)))
    }
    if (drift.length >= limit) return drift.slice(0, limit)
  }
  for (const table of tables) drift.push(...(await surplus(client, table, counts.get(table) ?? 0)))
  return drift.slice(0, limit)
}

const compare = async (
  client: ClientBase,
  table: ReadTable,
  stream: string,
  expected: readonly Columns[],
): Promise<readonly Drift[]> => {
  const match = readTables[table].map(key => `c.${key} = (x).${key}`).join(' and ')
  const { rows } = await client.query<Drift>(
    `with e as materialized (select x from json_populate_recordset(null::${table}, $1::json) x)
     select $2::text as stream, '${table}.' || d.column as column, d.expected, d.found
     from e left join ${table} c on ${match}
     cross join lateral (
       select a.key as column, a.value as expected, b.value as found
       from jsonb_each(to_jsonb(e.x)) a join jsonb_each(to_jsonb(c)) b using (key)
       where c.revision is not null and a.value <> b.value
       union all
       select '*', to_jsonb(e.x), 'null'::jsonb where c.revision is null) d
     where c is distinct from e.x order by 2`,
    [JSON.stringify(expected), stream],
  )
  return rows
}

/** Rows that no event has made; which they are shows once the others are right. */
const surplus = async (client: ClientBase, table: ReadTable, expected: number): Promise<readonly Drift[]> => {
  const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${table}`)
  const found = rows[0]?.n ?? 0
  return found <= expected ? [] : [{ stream: table, column: '*', expected, found }]
}
