import { type ColumnKind, type ColumnName, commandColumns, viewColumns } from '../../../domain/command/columns.ts'
import { instant } from '../connection/instant.ts'
import { streamOf } from '../log/command-streams.ts'
import { cutMessageColumn } from './cut-json.ts'

const plain = (column: string): string => column

const READ: Readonly<Record<ColumnKind, (column: string) => string>> = {
  text: plain,
  frame: column => `nullif(${column}, '')`,
  status: plain,
  priority: plain,
  message: cutMessageColumn,
  uuid: plain,
  int: plain,
  bigint: plain,
  // read as a JSON number, which is written exactly, independent of the session's settings
  revision: column => `to_json(${column})`,
  instant,
  person: column => `nullif(${column}, '')`,
  tags: plain,
}

const select = (alias: string, names: readonly ColumnName[], read: typeof READ): string =>
  names
    .map(name => {
      const { column, kind } = commandColumns[name]
      return `${read[kind](`${alias}.${column}`)} as "${name}"`
    })
    .join(', ')

/** A list for `select` of these columns as lists contain them: the message of the last error may be cut. */
export const listedColumns = (alias: string, names: readonly ColumnName[] = viewColumns): string =>
  select(alias, names, READ)

/** The same with the whole message. */
export const wholeColumns = (alias: string): string => select(alias, viewColumns, { ...READ, message: plain })

/** SQL: joins the command row `c` with the event of its present payload (`sent`) and its last event (`last`). */
export const joinSent = `left join command_bus_event sent
  on sent.stream = ${streamOf('c')} and sent.revision = c.data_revision`
export const joinLast = `left join command_bus_event last
  on last.stream = ${streamOf('c')} and last.revision = c.revision`

export const resultOf = `case when c.status = 'COMPLETED' then coalesce(last.data->'result', last.data->'resultData') end`
