import type { ClientBase } from 'pg'
import { workflowTables } from './workflow-fold.ts'

export const COMMAND_TABLE = 'command_bus_command'

/** Every table whose rows are made from the log, in the order in which they are locked. */
export const readTableNames: readonly string[] = [COMMAND_TABLE, ...workflowTables]

/**
 * Keeps a rebuild from exchanging tables until the transaction ends. To be called before it has a snapshot, which could
 * not look into a table that is put there after it.
 */
export const holdReadTables = async (client: ClientBase): Promise<void> => {
  await client.query(`lock table ${readTableNames.join(', ')} in access share mode`)
}
