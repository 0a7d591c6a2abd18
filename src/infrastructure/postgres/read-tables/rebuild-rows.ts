import type { ClientBase } from 'pg'
import { type ColumnKind, commandColumns } from '../../../domain/command/columns.ts'
import { createWrites, type RowWrite } from '../../../projections/row-write.ts'
import { workflowRows } from '../../../projections/workflow-rows.ts'
import { type Folded, foldInto, isOfCommand, type LoggedBusEvent, type LoggedEvent } from './command-log.ts'
import { COMMAND_TABLE } from './read-tables.ts'
import { RebuildError } from './rebuild-table.ts'
import { applySearch, SEARCH_TABLE } from './search-values.ts'
import { MOST_ROWS, workflowTables } from './workflow-fold.ts'

/**
 * Applies events to tables; `nameOf` gives a table's name for the one that it will replace. `isSearched`: payloads have values to
 * search by. Call it in a transaction.
 */
export const applyEvents = async (
  client: ClientBase,
  nameOf: (table: string) => string,
  events: readonly LoggedBusEvent[],
  isSearched: boolean,
): Promise<void> => {
  const ofCommands = events.filter(isOfCommand)
  await applyCommands(client, nameOf(COMMAND_TABLE), ofCommands)
  if (isSearched) {
    await applySearch(client, { table: nameOf(SEARCH_TABLE), commands: nameOf(COMMAND_TABLE) }, ofCommands)
  }
  let writes = createWrites()
  for (const { recorded } of events) {
    for (const write of workflowRows(recorded)) writes.add(write)
    if (writes.size() < MOST_ROWS) continue
    await putRows(client, nameOf, writes.all())
    writes = createWrites()
  }
  await putRows(client, nameOf, writes.all())
}

const putRows = async (
  client: ClientBase,
  nameOf: (table: string) => string,
  writes: readonly RowWrite[],
): Promise<void> => {
  for (const table of workflowTables) {
    const own = writes.flatMap(write => (write.table === table ? [{ ...write, stream: '' }] : []))
    if (own.length === 0) continue
    await client.query(`select command_bus_put_rows($1::text::regclass, $2::jsonb, '{}')`, [
      nameOf(table),
      JSON.stringify(own),
    ])
  }
}

/** Inserts new rows in one statement, and changes earlier rows in another. */
const applyCommands = async (client: ClientBase, table: string, events: readonly LoggedEvent[]): Promise<void> => {
  const folds = new Map<string, Folded>()
  for (const event of events) {
    const folded = foldInto(folds.get(event.recorded.stream), event)
    if (folded !== undefined) folds.set(event.recorded.stream, folded)
  }
  const rows: object[] = []
  const moves: object[] = []
  for (const { change, msgId } of folds.values()) {
    if (change.kind === 'insert') rows.push({ ...change.row, msg_id: msgId })
    else moves.push({ ...change.move, msg_id: msgId })
  }
  if (rows.length > 0) {
    await client.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1::json)`, [
      JSON.stringify(rows),
    ])
  }
  if (moves.length === 0) return
  // a table that has just been filled has no statistics: the planner must be made to look rows up by key
  await client.query(
    'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off',
  )
  const moved = await client.query(moveRows(table), [JSON.stringify(moves)])
  if (moved.rowCount !== moves.length) throw new RebuildError('the log is damaged: a stream has a gap')
}

const SQL_TYPES: Readonly<Record<ColumnKind, string>> = {
  text: 'text',
  frame: 'text',
  status: 'text',
  priority: 'text',
  message: 'text',
  uuid: 'uuid',
  int: 'int',
  bigint: 'bigint',
  revision: 'bigint',
  instant: 'timestamptz',
  person: 'text',
  tags: 'text[]',
}

const changing = Object.values(commandColumns).filter(({ changes }) => changes !== 'never')
const typed = changing.map(({ column, kind }) => `${column} ${SQL_TYPES[kind]}`).join(', ')
const assignments = changing
  .map(
    ({ column, changes }) =>
      `${column} = ${changes === 'always' ? `x.${column}` : `coalesce(x.${column}, c.${column})`}`,
  )
  .join(', ')

const moveRows = (table: string): string => `
  update ${table} c set ${assignments}
  from json_to_recordset($1::json) x(after bigint, domain text, command_id uuid, ${typed})
  where c.domain = x.domain collate "C" and c.command_id = x.command_id and c.revision = x.after`
