import type { ClientBase } from 'pg'
import { commandColumns } from '../../../domain/command/columns.ts'
import { streamOf } from '../log/command-streams.ts'
import type { Folded } from './command-log.ts'
import type { Drift } from './drift.ts'

const known = [...Object.values(commandColumns).map(({ column }) => column), 'msg_id']

/** Compares all columns that this version knows; a later one may have added more. The database compares the values. */
export const compareCommands = async (client: ClientBase, folds: readonly Folded[]): Promise<readonly Drift[]> => {
  if (folds.length === 0) return []
  const expected = folds.flatMap(({ change, msgId }) =>
    change.kind === 'insert' ? [{ ...change.row, msg_id: msgId }] : [],
  )
  const { rows } = await client.query<Drift>(
    `with e as materialized (select x from json_populate_recordset(null::command_bus_command, $1::json) x)
     select ${streamOf('(x)')} as stream, d.column, d.expected, d.found
     from e
     left join command_bus_command c on c.domain = (x).domain and c.command_id = (x).command_id
     cross join lateral (
       select a.key as column, a.value as expected, b.value as found
       from jsonb_each(to_jsonb(e.x)) a join jsonb_each(to_jsonb(c)) b using (key)
       where c.domain is not null and a.value <> b.value and a.key = any ($2::text[])
       union all
       select '*', to_jsonb(e.x), 'null'::jsonb where c.domain is null) d
     where c is distinct from e.x
     order by 1, 2`,
    [JSON.stringify(expected), known],
  )
  return rows
}

/** Rows whose stream does not exist. */
export const commandsWithoutEvents = async (client: ClientBase, limit: number): Promise<readonly Drift[]> => {
  const { rows } = await client.query<Drift>(
    `select ${streamOf('c')} as stream, '*' as column, null as expected, to_jsonb(c) as found
     from command_bus_command c
     where not exists (select from command_bus_event e where e.stream = ${streamOf('c')} and e.revision = 0)
     order by 1 limit $1::int`,
    [limit],
  )
  return rows
}
