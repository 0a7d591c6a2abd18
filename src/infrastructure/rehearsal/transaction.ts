import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Pool } from 'pg'
import type { FollowUp } from '../../application/ports/rehearsals.ts'
import { domainIn, ofCommands } from '../postgres/log/command-streams.ts'
import { clientLike } from '../postgres/transactions/pool.ts'

/** How long the server may take to roll back an abandoned connection. */
const UNDONE_WITHIN_MS = 5_000

/** The application name of a rehearsal's connection, by which it is found when its process is gone. */
export const rehearsalName = (id: string): string => `commandbus rehearsal ${id}`

/**
 * Opens a connection with a transaction that cannot be committed: a row in `command_bus_rehearsal` makes a commit fail, and
 * later transactions of the connection are read-only.
 */
export const beginRehearsal = async (pool: Pool, id: string, deadlineMs: number): Promise<Client> => {
  const client = clientLike(pool, { application_name: rehearsalName(id) })
  // the next query reports a broken connection
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

/** Throws what a commit would throw: a deferred constraint, or a failed transaction. */
export const checkAtEnd = async (client: Client): Promise<void> => {
  await client.query("select set_config('commandbus.rehearsal', 'checking', true)")
  await client.query('set constraints all immediate')
}

/** The commands that were sent in the transaction. Only where the log is in this database. */
export const sentIn = async (client: Client): Promise<readonly FollowUp[]> => {
  const { rows } = await client.query<FollowUp>(
    `select ${domainIn('e.stream')} as domain, e.data->>'commandType' as "commandType", e.data->'data' as data
     from command_bus_event e
     where e.xid = pg_current_xact_id() and e.type = 'CommandSent' and ${ofCommands('e.stream')} order by e.position`,
  )
  return rows
}

export const rollBack = async (client: Client): Promise<void> => {
  await client.query('rollback').catch(() => {})
  await client.end().catch(() => {})
}

/** Ends the connection of a rehearsal, and resolves when the server has rolled it back. */
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
