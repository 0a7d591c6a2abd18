import type { ClientBase, Pool } from 'pg'
import { EventDecodeError } from '../../../application/ports/event-store.ts'
import { atOneInstant } from '../connection/with-client.ts'
import { pageWithinBytes } from '../log/log-reader.ts'
import { withUnhurriedClient } from '../transactions/unhurried.ts'
import { type Folded, foldInto, type LoggedRow, loggedOf } from './command-log.ts'
import type { Drift } from './drift.ts'
import { holdReadTables } from './read-tables.ts'
import { verifyWorkflows } from './verify-workflows.ts'

export type { Drift } from './drift.ts'

export interface VerifyOptions {
  readonly pool: Pool
  /** Ends after about so many findings. Default 1,000. */
  readonly limit?: number
  readonly onProgress?: (progress: { readonly commands: number }) => void
}

/**
 * Folds every command, run, ledger and template of the log afresh and compares every column of its rows, as of one
 * instant; an empty list means that the rows say what the log says. Streams through the log: memory does not grow with it. Changes nothing.
 */
export const verifyCommands = ({
  pool,
  limit = 1_000,
  onProgress = () => {},
}: VerifyOptions): Promise<readonly Drift[]> =>
  withUnhurriedClient(pool, client =>
    atOneInstant(client, async () => {
      await holdReadTables(client)
      const drift: Drift[] = []
      let commands = 0
      for await (const folds of foldedStreams(client)) {
        drift.push(...(await compareRows(client, folds)))
        commands += folds.length
        onProgress({ commands })
        if (drift.length >= limit) break
      }
      if (drift.length < limit) drift.push(...(await rowsWithoutEvents(client, limit - drift.length)))
      if (drift.length < limit) drift.push(...(await verifyWorkflows(client, limit - drift.length)))
      return drift.slice(0, limit)
    }),
  )

/** The next events, stream by stream. */
const streamPage = pageWithinBytes({
  columns: 'x.stream, x.revision, x.id, x.type, x.data, x.meta, x.msg_id',
  where: `(e.stream, e.revision) > ($1::text collate "C", $2::bigint) and e.stream < 'command.'`,
  order: 'stream, revision',
})

/** Every command folded, some of them at a time. A stream that goes on in the next page is carried over. */
async function* foldedStreams(client: ClientBase): AsyncGenerator<readonly Folded[]> {
  let stream = 'command-'
  let revision = '-1'
  let open: Folded | undefined
  for (;;) {
    const { rows } = await client.query<LoggedRow>(streamPage, [stream, revision])
    const done: Folded[] = []
    for (const row of rows) {
      if (row.stream !== stream) {
        if (open !== undefined) done.push(open)
        open = undefined
        if (row.revision !== '0') throw new EventDecodeError(row.stream, 0, ['the event is missing'])
      } else if (Number(row.revision) !== Number(revision) + 1) {
        throw new EventDecodeError(row.stream, Number(revision) + 1, ['the event is missing'])
      }
      open = foldInto(open, loggedOf(row))
      stream = row.stream
      revision = row.revision
    }
    if (rows.length === 0) {
      if (open !== undefined) yield [open]
      return
    }
    if (done.length > 0) yield done
  }
}

/** Columns are those of the table, whatever they are; values are compared as the database compares them. */
export const compareRows = async (client: ClientBase, folds: readonly Folded[]): Promise<readonly Drift[]> => {
  const expected = folds.flatMap(({ change, msgId }) =>
    change.kind === 'insert' ? [{ ...change.row, msg_id: msgId }] : [],
  )
  const { rows } = await client.query<Drift>(
    `with e as materialized (select x from json_populate_recordset(null::command_bus_command, $1::json) x)
     select 'command-' || (x).domain || '-' || (x).command_id as stream, d.column, d.expected, d.found
     from e
     left join command_bus_command c on c.domain = (x).domain and c.command_id = (x).command_id
     cross join lateral (
       select a.key as column, a.value as expected, b.value as found
       from jsonb_each(to_jsonb(e.x)) a join jsonb_each(to_jsonb(c)) b using (key)
       where c.domain is not null and a.value <> b.value
       union all
       select '*', to_jsonb(e.x), 'null'::jsonb where c.domain is null) d
     where c is distinct from e.x
     order by 1, 2`,
    [JSON.stringify(expected)],
  )
  return rows
}

export const rowsWithoutEvents = async (client: ClientBase, limit: number): Promise<readonly Drift[]> => {
  const { rows } = await client.query<Drift>(
    `select s.stream, '*' as column, null as expected, to_jsonb(c) as found
     from command_bus_command c cross join lateral (select 'command-' || c.domain || '-' || c.command_id as stream) s
     where not exists (select from command_bus_event e where e.stream = s.stream collate "C" and e.revision = 0)
     order by 1 limit $1::int`,
    [limit],
  )
  return rows
}
