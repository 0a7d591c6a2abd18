import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { CopyLogError } from './stored.ts'

const TRIES = 20
const COMPANY_TRIES = 5
const PAUSE_MS = 250

/** A connection on which nobody else is at work on the database, as far as can be seen. */
export const aloneOn = async <A>(databaseUrl: string, work: (client: pg.Client) => Promise<A>): Promise<A> => {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'commandbus copy-log' })
  let broken: Error | undefined
  client.on('error', error => {
    broken = error
  })
  await client.connect()
  try {
    await refuseCompany(client)
    return await work(client)
  } catch (error) {
    throw broken ?? error
  } finally {
    await client.end().catch(() => {})
  }
}

/** A process that has just ended may be listed for a moment. */
const refuseCompany = async (client: pg.Client): Promise<void> => {
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()
         and application_name in ('commandbus', 'commandbus copy-log')`,
    )
    const { count = 0 } = rows[0] ?? {}
    if (count === 0) return
    if (tries === COMPANY_TRIES) {
      throw new CopyLogError(
        `the bus is at work on this database (${count} connections): stop every service and worker first`,
      )
    }
    await delay(PAUSE_MS)
  }
}

/** Keeps writers of the log in this database out until the connection ends. */
export const lockOutWriters = async (client: pg.Client): Promise<void> => {
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query('select pg_try_advisory_lock(command_bus_lock()) as mine')
    if (rows[0].mine) return
    if (tries === TRIES) throw new CopyLogError('somebody writes to the log of this database: stop every service first')
    await delay(PAUSE_MS)
  }
}
