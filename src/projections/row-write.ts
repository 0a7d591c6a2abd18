import type { Json } from '../domain/json/json.ts'

/** The read tables that are written by `RowWrite`, each with its primary key. All have a column `revision`. */
export const readTables = {
  command_bus_workflow_template: ['template_id'],
  command_bus_workflow_run: ['run_id'],
  command_bus_workflow_run_file: ['run_id', 'idx'],
  command_bus_credit_account: ['tenant_id', 'pool', 'month'],
  command_bus_credit_entry: ['tenant_id', 'revision'],
  command_bus_pause: ['pause_id'],
  command_bus_lane: ['domain', 'lane'],
  command_bus_limit: ['domain', 'name'],
  command_bus_schedule: ['name'],
  command_bus_cause: ['cause_id'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type ReadTable = keyof typeof readTables

export type Columns = { readonly [column: string]: Json }

/**
 * What an event changes in a read table. `put` has every column of a row, which may be new; `patch` has the key and the
 * columns that change. Both apply only to a row of a lower revision: applied twice they change nothing.
 */
export interface RowWrite {
  readonly table: ReadTable
  readonly kind: 'put' | 'patch'
  readonly row: Columns
}

const keyOf = ({ table, row }: RowWrite): string => `${table} ${readTables[table].map(name => row[name]).join(' ')}`

/** Collects the writes of events in their order, and merges those of one row. */
export const createWrites = () => {
  const writes = new Map<string, RowWrite>()
  return {
    add: (write: RowWrite): void => {
      const key = keyOf(write)
      const before = writes.get(key)
      const merged =
        before === undefined || write.kind === 'put' ? write : { ...before, row: { ...before.row, ...write.row } }
      writes.set(key, merged)
    },
    size: (): number => writes.size,
    all: (): readonly RowWrite[] => [...writes.values()],
  }
}
