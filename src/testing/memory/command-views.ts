import type { CommandDetail, CommandView } from '../../application/ports/reading/command-queries.ts'
import { cutMessage } from '../../application/shared/cut-json.ts'
import { type ColumnName, commandColumns, viewColumns } from '../../domain/command/columns.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import type { Json } from '../../domain/json/json.ts'
import type { StoredRow } from './tables.ts'

const BLANK_IS_NULL: ReadonlySet<string> = new Set(['person', 'frame'])

/** These columns of a row under the names of the members. */
export const pickColumns = <Name extends ColumnName>(row: StoredRow, names: readonly Name[]) =>
  Object.fromEntries(
    names.map(name => {
      const { column, kind } = commandColumns[name]
      const value = (row as unknown as Readonly<Record<string, Json>>)[column] ?? null
      return [name, value === '' && BLANK_IS_NULL.has(kind) ? null : value]
    }),
  )

/** The command as the query of one contains it. */
export const viewOf = (row: StoredRow): CommandView => pickColumns(row, viewColumns) as unknown as CommandView

/** The command as lists contain it. */
export const listedOf = (row: StoredRow): CommandView => {
  const view = viewOf(row)
  return { ...view, lastErrorMsg: cutMessage(view.lastErrorMsg) }
}

export const detailOf = (row: StoredRow, events: readonly CommandEvent[]): CommandDetail => ({
  ...viewOf(row),
  data: payloadOf(row, events),
  result: resultOf(row, events),
})

export const payloadOf = (row: StoredRow, events: readonly CommandEvent[]): Json => {
  const event = events[row.data_revision]
  return event !== undefined && 'data' in event ? (event.data ?? null) : null
}

const resultOf = ({ status }: StoredRow, events: readonly CommandEvent[]): Json => {
  const last = events.at(-1)
  if (status !== 'COMPLETED' || last === undefined) return null
  if (last.type === 'CommandCompleted') return last.result
  return last.type === 'OperatorCompleted' ? last.resultData : null
}
