import pg from 'pg'

/** A transaction that holds locks and does nothing is ended by the server after this. */
const IDLE_IN_TRANSACTION_MS = 60_000

/** Connections to the bus's database. A broken idle connection is dropped by the pool; nobody has to know. */
export const createPool = (databaseUrl: string, max: number): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    application_name: 'commandbus',
    keepAlive: true,
  })
  pool.on('error', () => {})
  return pool
}

/** A single connection with the settings of a pool, for LISTEN. */
export const clientLike = (pool: pg.Pool): pg.Client => new pg.Client(pool.options)

/** A pool of one, for what must not wait behind busy connections. */
export const apartFrom = (pool: pg.Pool): pg.Pool => {
  const apart = new pg.Pool({ ...pool.options, max: 1 })
  apart.on('error', () => {})
  return apart
}
