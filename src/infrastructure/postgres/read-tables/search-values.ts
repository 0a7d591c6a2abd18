import type { ClientBase } from 'pg'
import { parseCommandStream } from '../../../domain/command/names.ts'
import { streamOf } from '../log/command-streams.ts'
import type { Folded, LoggedEvent } from './command-log.ts'
import type { Drift } from './drift.ts'

/** The values that commands can be found by: made from the payloads in the log, at the paths that are declared. */
export const SEARCH_TABLE = 'command_bus_search_value'

/** What is declared, to notice a change; null: nothing, as mostly. */
export const readDeclared = async (client: Pick<ClientBase, 'query'>): Promise<string | null> => {
  const { rows } = await client.query<{ all: string | null }>(
    `select string_agg(concat_ws(' ', domain, command_type, path, declared_at), ', ' order by domain, command_type, path) as all
     from command_bus_searchable`,
  )
  return rows[0]?.all ?? null
}

/** Writes the values of these events into a table; `commands` has their rows. */
export const applySearch = async (
  client: ClientBase,
  { table, commands }: { readonly table: string; readonly commands: string },
  events: readonly LoggedEvent[],
): Promise<void> => {
  // of several payloads of a command, the last
  const payloads = new Map<string, object>()
  for (const { recorded } of events) {
    const { stream, event, revision } = recorded
    const key = parseCommandStream(stream)
    const hasPayload = event.type === 'CommandSent' || (event.type === 'OperatorRetried' && event.data !== undefined)
    if (key !== null && hasPayload) {
      payloads.set(stream, { domain: key.domain, command_id: key.commandId, revision })
    }
  }
  if (payloads.size === 0) return
  await client.query(
    `insert into ${table} as v (domain, command_id, path, value, created_at)
     select c.domain, c.command_id, f.path, f.value, c.created_at
     from json_to_recordset($1::json) x(domain text, command_id uuid, revision bigint)
     join ${commands} c on c.domain = x.domain collate "C" and c.command_id = x.command_id
     join command_bus_event e on e.stream = ${streamOf('x')} and e.revision = x.revision
     cross join lateral command_bus_search_of(c.domain, c.command_type, e.data->'data') f
     where f.value is not null or x.revision > 0
     on conflict (domain, command_id, path) do update set value = excluded.value`,
    [JSON.stringify([...payloads.values()])],
  )
}

/** SQL: a declaration of this path holds for command `c`, and is complete. */
const IS_FILLED = (path: string): string => `exists (
  select from command_bus_searchable s
  where s.path = ${path} and s.command_type = c.command_type and s.domain in (c.domain, '*') and s.filled_at is not null)`

/** Compares the values of these commands with their payloads in the log; costs one small query while nothing is declared. */
export const compareSearch = async (client: ClientBase, folds: readonly Folded[]): Promise<readonly Drift[]> => {
  if (folds.length === 0 || (await readDeclared(client)) === null) return []
  const rows = folds.flatMap(({ change }) => (change.kind === 'insert' ? [change.row] : []))
  const { rows: drift } = await client.query<Drift>(
    `with c as materialized (
       select * from json_to_recordset($1::json) c(domain text, command_id uuid, command_type text, data_revision bigint)),
     expected as (
       select c.domain, c.command_id, f.path, f.value from c
       join command_bus_event e on e.stream = ${streamOf('c')} and e.revision = c.data_revision
       cross join lateral command_bus_search_of(c.domain, c.command_type, e.data->'data') f
       where f.value is not null and ${IS_FILLED('f.path')}),
     found as (
       select v.domain, v.command_id, v.path, v.value from c
       join ${SEARCH_TABLE} v on v.domain = c.domain collate "C" and v.command_id = c.command_id
       where v.value is not null and ${IS_FILLED('v.path')})
     select ${streamOf('x')} as stream, json_build_object('table', '${SEARCH_TABLE}', 'key',
         json_build_object('domain', x.domain, 'command_id', x.command_id, 'path', x.path)) as row,
       case when x.expected is null or x.found is null then '*' else 'value' end as column,
       coalesce(to_jsonb(x.expected), 'null') as expected, coalesce(to_jsonb(x.found), 'null') as found
     from (
       select domain, command_id, path, e.value as expected, f.value as found
       from expected e full join found f using (domain, command_id, path)) x
     where x.expected is distinct from x.found
     order by 1, x.path`,
    [
      JSON.stringify(
        rows.map(({ domain, command_id, command_type, data_revision }) => ({
          domain,
          command_id,
          command_type,
          data_revision,
        })),
      ),
    ],
  )
  return drift
}

/** Values of commands that do not exist. */
export const searchWithoutCommands = async (client: ClientBase, limit: number): Promise<readonly Drift[]> => {
  const { rows } = await client.query<Drift>(
    `select ${streamOf('v')} as stream, json_build_object('table', '${SEARCH_TABLE}', 'key',
         json_build_object('domain', v.domain, 'command_id', v.command_id, 'path', v.path)) as row,
       '*' as column, 'null'::jsonb as expected, to_jsonb(v.value) as found
     from ${SEARCH_TABLE} v
     where v.value is not null and not exists (
       select from command_bus_command c where c.domain = v.domain and c.command_id = v.command_id)
     order by 1 limit $1::int`,
    [limit],
  )
  return rows
}
