import { setTimeout as delay } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import { UnavailableError } from '../../../application/shared/errors.ts'

/**
 * The kind of pooler between the bus and the server. `transaction`: each transaction may run on another connection to the
 * server, so nothing that belongs to a session can be used: LISTEN, session locks, `set`, prepared statements.
 */
export type Pooling = 'none' | 'session' | 'transaction'

/** How often two connections are compared; a shared session shows at the first or second comparison. */
const ROUNDS = 4
/** A second connection that gets no session in this time: a full pool in session mode, not in transaction mode. */
const SECOND_MS = 3_000

const pidOf = async (client: ClientBase): Promise<number> => {
  const { rows } = await client.query('select pg_catalog.pg_backend_pid()::int4 as pid')
  return Number(rows[0].pid)
}

/**
 * Finds the kind of pooler by the server's process ids. Without a pooler, the process that answers is the one that greeted
 * (one statement shows that). In session mode, two sessions never share a process, and a session never changes its own.
 *
 * @param client outside any transaction
 * @param another makes one more connection with the same settings, to be connected here
 * @throws UnavailableError for a pooler that splits transactions, with which the bus cannot work
 */
export const findPooling = async (
  client: ClientBase,
  another: () => ClientBase & { readonly end: () => Promise<void> },
): Promise<Pooling> => {
  const first = await pidOf(client)
  if ((client as { readonly processID?: number | null }).processID === first) return 'none'
  const second = another()
  second.on('error', () => {})
  const compare = async (): Promise<Pooling> => {
    await second.connect()
    for (let round = 0; round < ROUNDS; round++) {
      const [mine, others] = [await pidOf(client), await pidOf(second)]
      if (mine !== first || others === first || (await pidOf(client)) !== first) return 'transaction'
    }
    return 'session'
  }
  const late = new AbortController()
  try {
    const full = delay(SECOND_MS, 'session' as const, { signal: late.signal, ref: false })
    full.catch(() => {})
    const comparing = compare()
    comparing.catch(() => {})
    const found = await Promise.race([comparing, full])
    if (found === 'transaction') await refuseStatementPooling(client)
    return found
  } finally {
    late.abort()
    void second.end().catch(() => {})
  }
}

const refuseStatementPooling = async (client: ClientBase): Promise<void> => {
  try {
    await client.query('begin')
    await client.query('commit')
  } catch (error) {
    if (!/statement pooling/.test(error instanceof Error ? error.message : '')) throw error
    throw new UnavailableError(
      'the pooler gives each statement another connection (pool_mode = statement), so there are no transactions: set it to session or transaction',
      { cause: error },
    )
  }
}

/** The sentence that says that `what` (such as "`commandbus migrate`") needs a session of its own. */
export const needsSession = (what: string): string =>
  `${what} needs a connection that stays the same, and the database is reached through a pooler in transaction mode: connect directly, or in session mode`

/** What a bus does differently behind such a pooler, for logs and health. */
export const POOLED_TRANSACTIONS =
  'the database is reached through a pooler in transaction mode: workers and live readers poll instead of listening, and statements are not prepared by name'

/** Whether the error says that a prepared statement is missing or that another client prepared one of its name. */
export const isLostStatement = (error: unknown): boolean => {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return code === '26000' || code === '42P05'
}
