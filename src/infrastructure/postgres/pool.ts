import pg, { type Client, type Pool, type PoolConfig } from 'pg'
import { InvalidInputError } from '../../application/errors.ts'
import { databaseOn, sessionOn } from './connection/database.ts'

/** A transaction that holds locks and does nothing is ended by the server after this. */
const IDLE_IN_TRANSACTION_MS = 60_000

/** Connections to the bus's database. A broken idle connection is dropped by the pool; nobody has to know. */
export const createPool = (databaseUrl: string, max: number): Pool =>
  listened(
    new pg.Pool({
      connectionString: databaseUrl,
      max,
      connectionTimeoutMillis: 10_000,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      application_name: 'commandbus',
      keepAlive: true,
    }),
  )

/**
 * A pool that a user made, as the bus uses it: it stays the user's, and `letGo` takes back what was added to it.
 *
 * @throws InvalidInputError for a value that is not a pool, and for a pool that asks PostgreSQL for values in binary
 */
export const userPool = (pool: Pool): { readonly pool: Pool; readonly letGo: () => void } => {
  if (typeof pool?.connect !== 'function' || typeof pool.query !== 'function' || typeof pool.options !== 'object') {
    throw new InvalidInputError('pool', 'must be a `pg.Pool`; give `databaseUrl` where you have none')
  }
  if (isBinary(pool)) {
    throw new InvalidInputError(
      'pool',
      'must not have `binary: true` (of its own or in `pg.defaults`), which pg reads wrongly; give the bus a pool without it, or `databaseUrl`',
    )
  }
  // an idle connection that breaks would otherwise end the process
  const heard = (): void => {}
  pool.on('error', heard)
  return { pool: databaseOn(pool), letGo: () => void pool.off('error', heard) }
}

/** `Client` is the one the pool makes its connections with: it may come from another copy of `pg`. */
type PoolParts = Pool & { readonly Client?: typeof Client }

const isBinary = (pool: Pool): boolean =>
  (pool.options as { readonly binary?: boolean }).binary === true || Boolean(pg.defaults.binary)

/** All that a pool was made with, also what it hides from being listed. */
const settingsOf = (pool: Pool): PoolConfig => {
  const { options } = pool
  return options.password === undefined ? { ...options } : { ...options, password: options.password }
}

/** A single connection with the settings of a pool, for LISTEN and locks. `more`: settings of its own. */
export const clientLike = (pool: Pool, more: PoolConfig = {}): Client => {
  const Made = (pool as PoolParts).Client ?? pg.Client
  return sessionOn(new Made({ ...settingsOf(pool), ...more }), pool)
}

/** A pool of its own with the settings of another, for what must not wait behind busy connections. */
export const apartFrom = (pool: Pool, max = 1, more: PoolConfig = {}): Pool => {
  const Made = (pool as PoolParts).Client ?? pg.Client
  return listened(new pg.Pool({ ...settingsOf(pool), max, min: 0, ...more, Client: Made } as PoolConfig))
}

const listened = (pool: Pool): Pool => {
  pool.on('error', () => {})
  return databaseOn(pool)
}
