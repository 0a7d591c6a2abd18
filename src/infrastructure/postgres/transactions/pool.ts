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
import { connectionSettings, type UrlOption } from '../connection/settings.ts'
import { withClient } from '../connection/with-client.ts'
import { cutSoon } from '../network/give-up.ts'
import { USUAL_TIMEOUT_MS } from '../network/time-limit.ts'

/** The server ends a transaction that is idle for so long. */
const IDLE_IN_TRANSACTION_MS = 60_000

/**
 * A network that fails while a statement runs is noticed after some 20 s, also for a handler's own statements. A failure
 * before the statement is not: the operating system sends it again and again, on Linux for a quarter of an hour.
 */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const

/** The time limit for a new connection, unless that of the pool is shorter. */
const CONNECT_WITHIN_MS = 10_000

const connectWithin = (timeoutMs: number): number => Math.min(CONNECT_WITHIN_MS, timeoutMs)

/**
 * A pool of connections to the bus's database. It silently drops an idle connection that breaks.
 *
 * @param timeoutMs how long the answer to a statement may take
 * @param option where the connection string was given
 * @throws InvalidInputError for a connection string that cannot work
 */
export const createPool = (
  databaseUrl: string,
  max: number,
  timeoutMs = USUAL_TIMEOUT_MS,
  option: UrlOption = 'databaseUrl',
): Pool => {
  const { config, Client: Made, saysTransactionPooling } = connectionSettings(databaseUrl, option)
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

/** The kind of pooler between the pool and the server, found once. */
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

/** Whether the pool is known to have no sessions of its own, behind a pooler in transaction mode. */
export const sharesSessions = (pool: Pool): boolean => knownPooling(pool) === 'transaction'

/**
 * Refuses a pool without sessions, for work that uses locks and settings of a session.
 *
 * @param what the subject of the error's sentence
 */
export const assertSessions = async (
  pool: Pool,
  what: string,
  refusal: (message: string) => Error = message => new UnavailableError(message),
): Promise<void> => {
  if ((await poolingOf(pool)) === 'transaction') throw refusal(needsSession(what))
}

/**
 * A user's pool as the bus uses it. It stays the user's: `letGo` removes what was added to it.
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

/** `Client` is the pool's class of connections, which may come from another copy of `pg`. */
type PoolParts = Pool & { readonly Client?: typeof Client }

const isBinary = (pool: Pool): boolean =>
  (pool.options as { readonly binary?: boolean }).binary === true || Boolean(pg.defaults.binary)

/** All settings that a pool was made with, also the non-enumerable ones. */
const settingsOf = (pool: Pool): PoolConfig => {
  const { options } = pool
  return options.password === undefined ? { ...options } : { ...options, password: options.password }
}

/** A pool's settings for connections of the bus, with a time limit also where the pool has none. */
const settingsLike = (pool: Pool): PoolConfig => {
  const settings = settingsOf(pool)
  return {
    ...settings,
    ...KEEP_ALIVE,
    connectionTimeoutMillis: settings.connectionTimeoutMillis || connectWithin(timeoutOf(pool)),
  }
}

/** A connection for LISTEN; null where a pooler passes no notifications on. */
export const listenerLike = (pool: Pool): Client | null => (sharesSessions(pool) ? null : clientLike(pool))

/** A single connection with the settings of a pool, for LISTEN and locks; `more` wins over them. */
export const clientLike = (pool: Pool, more: PoolConfig = {}): Client => {
  const Made = (pool as PoolParts).Client ?? pg.Client
  return ownSessionOn(new Made({ ...settingsLike(pool), ...more }), pool)
}

/** A separate pool with the settings of another, for work that must not wait behind busy connections. */
export const poolLike = (pool: Pool, max = 1, more: PoolConfig = {}, timeoutMs = timeoutOf(pool)): Pool => {
  const Made = (pool as PoolParts).Client ?? pg.Client
  const made = new pg.Pool({ ...settingsLike(pool), max, min: 0, ...more, Client: Made } as PoolConfig)
  return listened(made, { like: pool, timeoutMs })
}

/** A pool of the bus: its end cuts connections that the server does not close in time. */
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
