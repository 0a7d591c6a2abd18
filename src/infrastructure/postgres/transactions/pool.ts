import pg, { type Client, type ClientBase, type Pool, type PoolConfig } from 'pg'
import { InvalidInputError, UnavailableError } from '../../../application/shared/errors.ts'
import {
  type DatabaseOptions,
  databaseOn,
  knownPooling,
  notePooling,
  ownSessionOn,
  timeoutOf,
} from '../connection/database.ts'
import { findPooling, needsSession, type Pooling } from '../connection/pooling.ts'
import { connectionSettings } from '../connection/settings.ts'
import { withClient } from '../connection/with-client.ts'
import { cutSoon } from '../network/give-up.ts'
import { USUAL_TIMEOUT_MS } from '../network/time-limit.ts'

/** A transaction that holds locks and does nothing is ended by the server after this. */
const IDLE_IN_TRANSACTION_MS = 60_000

/**
 * A network that goes while a statement runs is noticed after some 20 s, also by handlers that wait for one of theirs.
 * One that was gone before is not: the system sends the statement again and again, on Linux for a quarter of an hour.
 */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const

/** A connection that takes longer is given up, or sooner where the time limit is shorter. */
const CONNECT_WITHIN_MS = 10_000

const connectWithin = (timeoutMs: number): number => Math.min(CONNECT_WITHIN_MS, timeoutMs)

/**
 * Connections to the bus's database. A broken idle connection is dropped by the pool; nobody has to know. `timeoutMs`: how
 * long the answer to a statement may take.
 *
 * @throws InvalidInputError for a connection string that cannot work
 */
export const createPool = (databaseUrl: string, max: number, timeoutMs = USUAL_TIMEOUT_MS): Pool => {
  const { config, Client: Made, saysTransactionPooling } = connectionSettings(databaseUrl)
  const pool = listened(
    new pg.Pool({
      connectionTimeoutMillis: connectWithin(timeoutMs),
      application_name: 'commandbus',
      ...KEEP_ALIVE,
      ...config,
      ...(Made === null ? {} : { Client: Made }),
      max,
    }),
    { idleInTransactionMs: IDLE_IN_TRANSACTION_MS, timeoutMs },
  )
  if (saysTransactionPooling) notePooling(pool, 'transaction')
  return pool
}

const finding = new WeakMap<Pool, Promise<Pooling>>()

/** What lies between the pool and the server, found out once. */
export const poolingOf = (pool: Pool): Promise<Pooling> => {
  const known = knownPooling(pool)
  if (known !== null) return Promise.resolve(known)
  const found =
    finding.get(pool) ??
    withClient(pool, async client => {
      const pooling = await findPooling(client, () => clientLike(pool))
      notePooling(pool, pooling, client)
      return pooling
    }).finally(() => finding.delete(pool))
  finding.set(pool, found)
  return found
}

/** Whether sessions are not to be had; false where that is not known yet. */
export const sharesSessions = (pool: Pool): boolean => knownPooling(pool) === 'transaction'

/**
 * For what uses locks and settings of a session.
 *
 * @param what its subject, as the sentence begins
 */
export const assertSessions = async (
  pool: Pool,
  what: string,
  refusal: (message: string) => Error = message => new UnavailableError(message),
): Promise<void> => {
  if ((await poolingOf(pool)) === 'transaction') throw refusal(needsSession(what))
}

/**
 * A pool that a user made, as the bus uses it: it stays the user's, and `letGo` takes back what was added to it.
 *
 * @throws InvalidInputError for a value that is not a pool, and for a pool that asks PostgreSQL for values in binary
 */
export const userPool = (
  pool: Pool,
  timeoutMs = USUAL_TIMEOUT_MS,
): { readonly pool: Pool; readonly letGo: () => void } => {
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
  return { pool: databaseOn(pool, { timeoutMs }), letGo: () => void pool.off('error', heard) }
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

/** The settings of a pool for connections of ours: they are given up in time, also where the pool waits for ever. */
const settingsLike = (pool: Pool): PoolConfig => {
  const settings = settingsOf(pool)
  return {
    ...settings,
    ...KEEP_ALIVE,
    connectionTimeoutMillis: settings.connectionTimeoutMillis || connectWithin(timeoutOf(pool)),
  }
}

/** A connection to listen on; null where a pooler would not pass on what is heard. */
export const listenerLike = (pool: Pool): Client | null => (sharesSessions(pool) ? null : clientLike(pool))

/** A single connection with the settings of a pool, for LISTEN and locks. `more`: settings of its own. */
export const clientLike = (pool: Pool, more: PoolConfig = {}): Client => {
  const Made = (pool as PoolParts).Client ?? pg.Client
  return ownSessionOn(new Made({ ...settingsLike(pool), ...more }), pool)
}

/** A pool of its own with the settings of another, for what must not wait behind busy connections. */
export const apartFrom = (pool: Pool, max = 1, more: PoolConfig = {}, timeoutMs = timeoutOf(pool)): Pool => {
  const Made = (pool as PoolParts).Client ?? pg.Client
  const made = new pg.Pool({ ...settingsLike(pool), max, min: 0, ...more, Client: Made } as PoolConfig)
  return listened(made, { like: pool, timeoutMs })
}

/** A pool of ours: its end cuts connections that a silent server does not close. */
const listened = (pool: Pool, options: DatabaseOptions): Pool => {
  const open = new Set<ClientBase>()
  pool.on('error', () => {})
  pool.on('connect', client => {
    open.add(client)
    client.once('end', () => open.delete(client))
  })
  const end = pool.end.bind(pool) as () => Promise<void>
  return databaseOn(
    Object.assign(pool, {
      end: async (): Promise<void> => {
        await end()
        cutSoon(open)
      },
    }),
    options,
  )
}
