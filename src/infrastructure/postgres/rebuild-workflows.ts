import type { ClientBase, Pool } from 'pg'
import { type ReadTable, type RowWrite, readTables } from '../../projections/row-write.ts'
import { foldedWorkflows } from './workflow-fold.ts'

const ROWS_A_STATEMENT = 5_000

/**
 * Makes the rows of runs, templates and credits anew from the log, in one transaction. Readers see the old rows until
 * it commits; writers wait: these tables are small beside those of commands.
 */
export const rebuildWorkflows = async (pool: Pool): Promise<{ readonly events: number }> => {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock(command_bus_lock())')
    for (const table of tables) await client.query(`delete from ${table}`)
    let events = 0
    let waiting: RowWrite[] = []
    for await (const folded of foldedWorkflows(client)) {
      events += folded.events
      waiting = waiting.concat(folded.writes)
      if (waiting.length >= ROWS_A_STATEMENT) await write(client, waiting.splice(0))
    }
    await write(client, waiting)
    await client.query('commit')
    return { events }
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    // a connection in the middle of something is not worth keeping
    client.release(broken)
  }
}

const tables = Object.keys(readTables) as readonly ReadTable[]

const write = async (client: ClientBase, writes: readonly RowWrite[]): Promise<void> => {
  for (const table of tables) {
    const own = writes.filter(one => one.table === table).map(one => ({ ...one, stream: '' }))
    if (own.length === 0) continue
    await client.query(`select command_bus_put_rows($1::text::regclass, $2::jsonb, '{}')`, [table, JSON.stringify(own)])
  }
}
