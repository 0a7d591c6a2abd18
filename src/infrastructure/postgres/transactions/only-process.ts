import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { unhurried } from '../connection/database.ts'
import { assertSessions, clientLike, createPool } from './pool.ts'

export interface OnlyProcessOptions {
  readonly databaseUrl: string
  /** The command that needs the database for itself. */
  readonly command: ExclusiveCommand
  /** Makes the error for the case that others use the database. */
  readonly refusal: (message: string) => Error
}

type ExclusiveCommand = 'copy-log' | 'adopt-log'

/** Application names of the bus's connections; see `createPool`. */
const BUS_NAMES = ['commandbus', 'commandbus copy-log', 'commandbus adopt-log']
const TRIES = 20
const PROCESS_TRIES = 5
const PAUSE_MS = 250

/** Runs `work` on a connection if no other process of the bus is connected, as far as the server shows. */
export const asOnlyProcess = async <A>(
  { databaseUrl, command, refusal }: OnlyProcessOptions,
  work: (client: pg.Client) => Promise<A>,
): Promise<A> => {
  const name = `commandbus ${command}`
  const pool = createPool(databaseUrl, 1)
  const client = clientLike(pool, { application_name: name })
  let broken: Error | undefined
  client.on('error', error => {
    broken = error
  })
  try {
    await assertSessions(pool, `\`commandbus ${command}\``, refusal)
    // its connections would count as another process
    await pool.end()
    await client.connect()
    await refuseOtherProcesses(client, refusal)
    return await work(unhurried(client))
  } catch (error) {
    throw broken ?? error
  } finally {
    await client.end().catch(() => {})
    if (!pool.ended) await pool.end()
  }
}

/** Tries several times: a process that has just ended may still be listed. */
const refuseOtherProcesses = async (client: pg.Client, refusal: OnlyProcessOptions['refusal']): Promise<void> => {
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and application_name = any ($1::text[])`,
      [BUS_NAMES],
    )
    const { count = 0 } = rows[0] ?? {}
    if (count === 0) return
    if (tries === PROCESS_TRIES) {
      throw refusal(`the bus is running on this database (${count} connections): stop every service and worker first`)
    }
    await delay(PAUSE_MS)
  }
}

/** Keeps writers of the log in this database out until the connection ends. */
export const lockOutWriters = async (client: pg.Client, refusal: OnlyProcessOptions['refusal']): Promise<void> => {
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query('select pg_try_advisory_lock(command_bus_lock()) as mine')
    if (rows[0].mine) return
    if (tries === TRIES) throw refusal('another process writes to the log of this database: stop every service first')
    await delay(PAUSE_MS)
  }
}
