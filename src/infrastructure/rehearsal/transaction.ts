import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Pool } from 'pg'
import { clientLike } from '../postgres/transactions/pool.ts'

/** How long the server gets to undo what a connection was doing that nobody holds any more. */
const UNDONE_WITHIN_MS = 5_000

/** Names the connection of one rehearsal to the server, so that it can be found again when its process is gone. */
export const rehearsalName = (id: string): string => `commandbus rehearsal ${id}`

/**
 * A connection with a transaction that cannot be committed: the connection's later ones could only read, and a row in
 * `command_bus_rehearsal` makes a commit fail.
 */
export const beginRehearsal = async (pool: Pool, id: string, deadlineMs: number): Promise<Client> => {
  const client = clientLike(pool, { application_name: rehearsalName(id) })
  // a connection that is cut is told by the next query
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('set default_transaction_read_only = on')
    await client.query('begin read write')
    await client.query(
      `select set_config(name, $1::text, true) from pg_settings
       where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`,
      [String(deadlineMs + 1_000)],
    )
    await client.query('insert into command_bus_rehearsal (id) values ($1::uuid)', [id])
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

/** What a commit would have found wrong: constraints that are checked at the end, or a transaction that has failed. */
export const checkAtEnd = async (client: Client): Promise<void> => {
  await client.query("select set_config('commandbus.rehearsal', 'checking', true)")
  await client.query('set constraints all immediate')
}

export const rollBack = async (client: Client): Promise<void> => {
  await client.query('rollback').catch(() => {})
  await client.end().catch(() => {})
}

/** Ends the connection of a rehearsal that is out of hand, and comes back when the server has undone what it did. */
export const undo = async (pool: Pool, id: string): Promise<void> => {
  const until = Date.now() + UNDONE_WITHIN_MS
  for (;;) {
    const { rows } = await pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = current_database()',
      [rehearsalName(id)],
    )
    if (rows.length === 0) return
    if (Date.now() > until) throw new Error('the server has not ended the connection of a rehearsal yet')
    await delay(10)
  }
}
