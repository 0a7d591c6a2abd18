import type { ClientBase } from 'pg'
import { isUuid } from '../../../domain/uuid.ts'
import { type ReadTable, readTables } from '../../../projections/row-write.ts'
import type { Drift } from './drift.ts'
import { type FoldedRows, isLedger, sources, workflowTables } from './workflow-fold.ts'

/** Rows that differ from the folded ones, and, of streams that were read to their end, rows that no event makes. */
export const compareWorkflows = async (
  client: ClientBase,
  { writes, ended }: FoldedRows,
): Promise<readonly Drift[]> => {
  const drift: Drift[] = []
  for (const table of workflowTables) {
    const expected = writes.filter(write => write.table === table && write.kind === 'put').map(({ row }) => row)
    const owners = ended.flatMap(({ stream, last }) => {
      const owner = ownerIn(table, stream)
      return owner === null ? [] : [{ owner, last }]
    })
    if (expected.length === 0 && owners.length === 0) continue
    const { rows } = await client.query<Drift>(isLedger(table) ? ledgerSql(table) : rowsSql(table), [
      JSON.stringify(expected),
      JSON.stringify(owners),
      [...new Set(expected.flatMap(Object.keys))],
    ])
    drift.push(...rows)
  }
  return drift
}

/** The owner of the stream's rows in this table; null: it makes no rows there. */
const ownerIn = (table: ReadTable, stream: string): string | null => {
  const { prefix, type } = sources[table]
  if (!stream.startsWith(prefix)) return null
  const owner = stream.slice(prefix.length)
  return type === 'text' || isUuid(owner) ? owner : null
}

const ownerOf = (table: ReadTable, alias: string): string => sources[table].owner(column => `${alias}.${column}`)

const named = (table: ReadTable, value: (column: string) => string): string => {
  const { prefix, owner } = sources[table]
  const key = readTables[table].map(column => `'${column}', ${value(column)}`).join(', ')
  return `'${prefix}' || ${owner(value)} as stream,
    jsonb_build_object('table', '${table}', 'key', jsonb_build_object(${key})) as row`
}

const matching = (table: ReadTable): string =>
  readTables[table].map(column => `c.${column} = e.${column}`).join(' and ')

const expectedRows = (table: ReadTable): string =>
  `e as materialized (select * from json_populate_recordset(null::${table}, $1::json))`
const endedOwners = (table: ReadTable): string =>
  `o as materialized (select * from json_to_recordset($2::json) x(owner ${sources[table].type}, last bigint))`

/**
 * SQL: each column in which two rows differ; the whole row if there is only one. The database compares the values. Columns that a later
 * version has added are left out: both versions run during an upgrade.
 */
const differences = `
  cross join lateral (
    select a.key as column, a.value as expected, b.value as found
    from jsonb_each(to_jsonb(e)) a join jsonb_each(to_jsonb(c)) b using (key)
    where a.value <> b.value and a.key = any ($3::text[])
    union all
    select '*', to_jsonb(e), 'null'::jsonb where c.revision is null
    union all
    select '*', 'null'::jsonb, to_jsonb(c) where e.revision is null) d`

const rowsSql = (table: ReadTable): string => `
  with ${expectedRows(table)}, ${endedOwners(table)},
  c as materialized (select t.* from o join ${table} t on ${ownerOf(table, 't')} = o.owner)
  select ${named(table, column => `coalesce(e.${column}, c.${column})`)}, d.column, d.expected, d.found
  from e full join c on ${matching(table)}
  ${differences}
  where c is distinct from e order by 1, 2, 3`

const ledgerSql = (table: ReadTable): string => `
  with ${expectedRows(table)}, ${endedOwners(table)}
  select ${named(table, column => `e.${column}`)}, d.column, d.expected, d.found
  from e left join ${table} c on ${matching(table)}
  ${differences}
  where c is distinct from e
  union all
  select ${named(table, column => `c.${column}`)}, '*', 'null'::jsonb, to_jsonb(c)
  from o join ${table} c on ${ownerOf(table, 'c')} = o.owner where c.revision > o.last or c.revision < 0
  order by 1, 2, 3`

/** Rows whose stream does not exist. */
export const workflowsWithoutEvents = async (client: ClientBase, limit: number): Promise<readonly Drift[]> => {
  const drift: Drift[] = []
  for (const table of workflowTables) {
    if (drift.length >= limit) break
    const { rows } = await client.query<Drift>(
      `select ${named(table, column => `c.${column}`)}, '*' as column, null as expected, to_jsonb(c) as found
       from ${table} c
       where not exists (
         select from command_bus_event e
         where e.stream = ('${sources[table].prefix}' || ${ownerOf(table, 'c')}) collate "C")
       order by 1, 2 limit $1::int`,
      [limit - drift.length],
    )
    drift.push(...rows)
  }
  return drift
}
