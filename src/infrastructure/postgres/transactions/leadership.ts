import type { Client, Pool } from 'pg'
import { clientLike, sharesSessions } from './pool.ts'

/** A projection's lock is held for as long as this is not released, or lost. */
export interface Leadership {
  /** Holds the lock itself, unless a pooler gives each transaction another connection. */
  readonly client: Client
  /** Gives the lock back. */
  readonly release: () => Promise<void>
}

/** A machine that is gone gives its lock back after some 20 seconds; a process that is gone, at once. */
const SESSION = `
  set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 3; set tcp_keepalives_count = 3;
  set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '60s'`

const LONG_TRANSACTION = `
  begin; set local idle_in_transaction_session_timeout = 0; set local tcp_keepalives_idle = 10;
  set local tcp_keepalives_interval = 3; set local tcp_keepalives_count = 3`

/** The transaction of a leader holds its lock and nothing else: no snapshot, no transaction id. It may be old. */
export const LEADER = 'commandbus leader'

/**
 * Takes the lock of a projection, or null when somebody else has it. Through a pooler in transaction mode it is held by a
 * transaction that stays open, on a connection apart from the one that works. The lock is tried for, never waited for: a waiting
 * statement would hold back vacuum in the whole database.
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
