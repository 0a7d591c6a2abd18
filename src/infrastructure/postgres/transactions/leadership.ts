import type { Client, Pool } from 'pg'
import { clientLike, sharesSessions } from './pool.ts'

/** The lock of a projection, held until it is released or lost. */
export interface Leadership {
  /** The connection for the projection's work. It also holds the lock, except behind a pooler in transaction mode. */
  readonly client: Client
  /** Gives the lock back. */
  readonly release: () => Promise<void>
}

/** The server frees the lock of a dead process at once, and that of a lost machine after some 20 seconds. */
const SESSION = `
  set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 3; set tcp_keepalives_count = 3;
  set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '60s'`

const LONG_TRANSACTION = `
  begin; set local idle_in_transaction_session_timeout = 0; set local tcp_keepalives_idle = 10;
  set local tcp_keepalives_interval = 3; set local tcp_keepalives_count = 3`

/** The name of a connection whose open transaction holds only the lock: no snapshot, no transaction id. It may be old. */
export const LEADER = 'commandbus leader'

/**
 * Takes the lock of a projection; null when another process has it. Behind a pooler in transaction mode, an open
 * transaction on a second connection holds it. It never waits for the lock: a waiting statement would hold back vacuum in
 * the whole database.
 */
export const tryToLead = async (
  pool: Pool,
  newClient: () => Client,
  projection: string,
  onLost: (error: Error) => void,
): Promise<Leadership | null> => {
  const isShared = sharesSessions(pool)
  const holder = isShared ? clientLike(pool, { application_name: LEADER }) : newClient()
  const client = isShared ? newClient() : holder
  const both = new Set([holder, client])
  let over = false
  for (const one of both) {
    one.on('error', error => {
      if (!over) onLost(error)
    })
    one.on('end', () => {
      if (!over) onLost(new Error('the connection that holds the lock has ended'))
    })
  }
  const release = async (): Promise<void> => {
    over = true
    await Promise.all([...both].map(one => one.end().catch(() => {})))
  }
  try {
    await holder.connect()
    await holder.query(isShared ? LONG_TRANSACTION : SESSION)
    const { rows } = await holder.query(
      `select ${isShared ? 'pg_try_advisory_xact_lock' : 'pg_try_advisory_lock'}(
         hashtextextended('command_bus_projection ' || $1::text, 0)) as mine`,
      [projection],
    )
    if (!rows[0].mine) {
      await release()
      return null
    }
    if (client !== holder) await client.connect()
    return { client, release }
  } catch (error) {
    await release()
    throw error
  }
}
