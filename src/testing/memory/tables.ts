import { commandStream } from '../../domain/command/names.ts'
import type { Json } from '../../domain/json/json.ts'
import type { CommandRow, RowChange } from '../../projections/command-row.ts'
import { type Columns, type ReadTable, type RowWrite, readTables } from '../../projections/row-write.ts'

/** A row of a command, with the id of its present message. */
export interface StoredRow extends CommandRow {
  readonly msg_id: string | null
}

/** The read tables, written by the same projections as those of PostgreSQL. */
export const createTables = () => {
  const commands = new Map<string, StoredRow>()
  const others = new Map<ReadTable, Map<string, Columns>>()

  const rowsOf = (table: ReadTable): Map<string, Columns> => {
    const known = others.get(table)
    if (known !== undefined) return known
    const made = new Map<string, Columns>()
    others.set(table, made)
    return made
  }

  return {
    /** The rows of commands by their streams. */
    commands: commands as ReadonlyMap<string, StoredRow>,
    rows: (table: ReadTable): readonly Columns[] => [...rowsOf(table).values()],
    change: (change: RowChange): void => {
      if (change.kind === 'insert') {
        commands.set(streamOf(change.row), { ...change.row, msg_id: null })
        return
      }
      const { after: _, ...columns } = change.move
      const stream = streamOf(change.move)
      const before = commands.get(stream)
      if (before !== undefined) commands.set(stream, { ...before, ...columns })
    },
    setMessage: (stream: string, msgId: string): void => {
      const row = commands.get(stream)
      if (row !== undefined) commands.set(stream, { ...row, msg_id: msgId })
    },
    write: ({ table, kind, row }: RowWrite): void => {
      const key = JSON.stringify(readTables[table].map((name): Json => row[name] ?? null))
      const rows = rowsOf(table)
      rows.set(key, kind === 'put' ? row : { ...rows.get(key), ...row })
    },
  }
}

export type Tables = ReturnType<typeof createTables>

const streamOf = ({ domain, command_id: commandId }: { readonly domain: string; readonly command_id: string }) =>
  commandStream({ domain, commandId })
