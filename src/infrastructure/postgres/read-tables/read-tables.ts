import type { ClientBase } from 'pg'
import { SEARCH_TABLE } from './search-values.ts'
import { workflowTables } from './workflow-fold.ts'

export const COMMAND_TABLE = 'command_bus_command'

/** Every table whose rows are made from the log, in the order in which they are locked. */
export const readTableNames: readonly string[] = [COMMAND_TABLE, ...workflowTables, SEARCH_TABLE]

/**
 * Keeps a rebuild from swapping tables until the transaction ends. Call it before the transaction has a snapshot: a
 * snapshot does not see the rows of a table that is swapped in after it.
 */
export const holdReadTables = async (client: ClientBase): Promise<void> => {
  await client.query(`lock table ${readTableNames.join(', ')} in access share mode`)
}
