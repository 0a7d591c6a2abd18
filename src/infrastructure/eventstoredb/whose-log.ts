import type { Pool } from 'pg'
import { UnavailableError } from '../../application/errors.ts'
import { loadCheckpoint } from './checkpoint.ts'

/** The projection that makes rows, messages and the mirror of the log from it. */
export const COMMANDS = 'commands'

/** Where the log is in PostgreSQL: refuses a database that mirrors a log in EventStoreDB, whose numbers are taken there. */
export const assertLogIsHere = async (pool: Pool): Promise<void> => {
  if ((await loadCheckpoint(pool, COMMANDS)) === null) return
  throw new UnavailableError('this database mirrors a log in EventStoreDB: set EVENTSTORE_URL, or use another database')
}

/** Where the log is in EventStoreDB: refuses a database that holds a log of its own, which would be out of reach. */
export const assertLogIsThere = async (pool: Pool): Promise<void> => {
  const { rows } = await pool.query(
    `select from command_bus_event
     where not exists (select from command_bus_checkpoint where projection = $1::text) limit 1`,
    [COMMANDS],
  )
  if (rows.length === 0) return
  throw new UnavailableError(
    'this database holds a log of its own, and EVENTSTORE_URL names another: copy the log first, or use another database',
  )
}
