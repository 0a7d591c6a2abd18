import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Pool } from 'pg'
import type { FollowUp } from '../../application/ports/rehearsals.ts'
import { domainIn, ofCommands } from '../postgres/log/command-streams.ts'
import { clientLike } from '../postgres/transactions/pool.ts'

/** How long the server may take to roll back an abandoned connection. */
const UNDONE_WITHIN_MS = 5_000

/** The application name of a rehearsal's connection, by which it is found when its process is gone. */
export const rehearsalName = (id: string): string => `commandbus rehearsal ${id}`

/** A connection that serves one rehearsal after the other: most of the time of a short one goes into making it. */
export interface KeptConnection {
  client: Client | null
}

/**
 * Opens a connection with a transaction that cannot be committed: a row in `command_bus_rehearsal` makes a commit fail, and
 * later transactions of the connection are read-only.
 */
export const beginRehearsal = async (
  pool: Pool,
  id: string,
  deadlineMs: number,
  kept: KeptConnection = { client: null },
): Promise<Client> => {
  const last = kept.client
  kept.client = null
  if (last !== null) {
    try {
      await last.query("select set_config('application_name', $1::text, false)", [rehearsalName(id)])
      return await begin(last, id, deadlineMs)
    } catch {
      // it has broken since
      await last.end().catch(() => {})
    }
  }
  const client = clientLike(pool, { application_name: rehearsalName(id) })
  // the next query reports a broken connection
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('set default_transaction_read_only = on')
    return await begin(client, id, deadlineMs)
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

const begin = async (client: Client, id: string, deadlineMs: number): Promise<Client> => {
  const within = client.escapeLiteral(String(deadlineMs + 1_000))
  await client.query(
    `begin read write;
     select set_config('statement_timeout', ${within}, true), set_config('idle_in_transaction_session_timeout', ${within}, true),
            case when current_setting('server_version_num')::int >= 170000 then set_config('transaction_timeout', ${within}, true) end;
     insert into command_bus_rehearsal (id) values (${client.escapeLiteral(id)}::uuid)`,
  )
  return client
}

/** Throws what a commit would throw: a deferred constraint, or a failed transaction. */
export const checkAtEnd = async (client: Client): Promise<void> => {
  await client.query("select set_config('commandbus.rehearsal', 'checking', true); set constraints all immediate")
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

/** `kept` takes the connection for the next rehearsal; null: it ends here. */
export const rollBack = async (client: Client, kept: KeptConnection | null = null): Promise<void> => {
  try {
    await client.query('rollback')
    if (kept !== null && kept.client === null) {
      kept.client = client
      return
    }
  } catch {
    // a broken connection is rolled back by the server
  }
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
