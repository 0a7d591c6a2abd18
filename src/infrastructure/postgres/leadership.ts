import type { Client } from 'pg'

/** A connection that alone holds a projection's lock for as long as it lives. */
export interface Leadership {
  readonly client: Client
  /** Gives the lock back. */
  readonly release: () => Promise<void>
}

/** A machine that is gone gives its lock back after some 20 seconds; a process that is gone, at once. */
const SESSION = `
  set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 3; set tcp_keepalives_count = 3;
  set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '60s'`

/**
 * Takes the lock of a projection, or null when somebody else has it. The lock is tried for, never waited for: a waiting
 * statement would hold back vacuum in the whole database.
 */
export const tryToLead = async (
  newClient: () => Client,
  projection: string,
  onLost: (error: Error) => void,
): Promise<Leadership | null> => {
  const client = newClient()
  let over = false
  client.on('error', error => {
    if (!over) onLost(error)
  })
  client.on('end', () => {
    if (!over) onLost(new Error('the connection that holds the lock has ended'))
  })
  const release = async (): Promise<void> => {
    over = true
    await client.end().catch(() => {})
  }
  try {
    await client.connect()
    await client.query(SESSION)
    const { rows } = await client.query(
      `select pg_try_advisory_lock(hashtextextended('command_bus_projection ' || $1::text, 0)) as mine`,
      [projection],
    )
    if (rows[0].mine) return { client, release }
    await release()
    return null
  } catch (error) {
    await release()
    throw error
  }
}
