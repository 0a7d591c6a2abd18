import type { ClientBase, Pool, PoolClient } from 'pg'
import { destroy, endInTime, giveUpStatement, keepAlive } from '../network/give-up.ts'
import { USUAL_TIMEOUT_MS } from '../network/time-limit.ts'
import { type Facades, facadeIn, facadeOf, homes, rawClient, raws, type Terms, timeouts } from './facade.ts'
import { newHome, placeOf, type RunQuery, runIn } from './home.ts'
import type { Pooling } from './pooling.ts'
import { connectIn, giveBack, isIdle, limited, until } from './waiting.ts'
import { withClient } from './with-client.ts'

/**
 * Runs the bus's statements on connections of users. A user's pool or client has its own type parsers, search path,
 * settings and prepared statements. The bus's statements mean the same on all of them:
 *
 * - values are read by `ownTypes`, not by what the process has set for `pg`
 * - the bus's tables and functions are named with their schema, which is looked up once
 * - the name of a prepared statement contains a mark of its text, so that two versions in one process do not collide; the
 *   statement has no name behind a pooler in transaction mode, nor before the kind of pooler is known
 * - each has a time limit, also when the database no longer answers: then the server is asked to cancel the statement,
 *   and a connection of the bus is closed; a user's connection stays open
 *
 * The result is used like the pool or client it was made from; `rawClient` gives the user's client back.
 */

const pools: Facades = new WeakMap()
/** Facades of the bus's clients and of users' clients: one client may be either, at different times. */
const ownClients: Facades = new WeakMap()
const usersClients: Facades = new WeakMap()

/** @param ofPool whether the client is a connection of the pool that `terms.home` describes */
const ownClient = <A extends ClientBase>(terms: Terms, client: A, ofPool = false): A => {
  const known = facadeIn(ownClients, client, terms)
  if (known !== undefined) return known
  const { home, timeoutMs } = terms
  const query = runIn(
    home,
    limited(client, timeoutMs, destroy),
    () => ofPool || placeOf(client) === home.place,
    () => isIdle(client),
  )
  return facadeOf(client, terms, { query, end: () => endInTime(client) }, ownClients)
}

const usersClient = <A extends ClientBase>(terms: Terms, client: A): A => {
  if (raws.has(client)) return client
  const known = facadeIn(usersClients, client, terms)
  if (known !== undefined) return known
  const { home, timeoutMs } = terms
  const query = runIn(
    home,
    // the user's next statement, a rollback, waits until this one has ended
    limited(client, timeoutMs, () => {}),
    () => placeOf(client) === home.place,
    () => isIdle(client),
  )
  return facadeOf(client, terms, { query }, usersClients)
}

export interface DatabaseOptions {
  /** Another pool on the same database: the two share what is known of it. */
  readonly like?: Pool
  /** The server ends a transaction that is idle for so long. */
  readonly idleInTransactionMs?: number
  /** Time limit for getting a connection, and for the answer to a statement. Default: as before, or the usual one. */
  readonly timeoutMs?: number
}

/** A pool, the bus's or the user's, for statements of the bus. */
export const databaseOn = (pool: Pool, { like, idleInTransactionMs, timeoutMs }: DatabaseOptions = {}): Pool => {
  if (raws.has(pool)) return pool
  const known = pools.get(pool)
  if (known !== undefined && (timeoutMs === undefined || timeouts.get(known) === timeoutMs)) return known as Pool
  const terms: Terms = {
    home: homes.get(known ?? (like === undefined ? pool : databaseOn(like))) ?? newHome(idleInTransactionMs),
    timeoutMs: timeoutMs ?? USUAL_TIMEOUT_MS,
  }
  const connect = (): Promise<PoolClient> => connectIn(pool, terms.timeoutMs)
  const query = runIn(
    terms.home,
    config => withClient({ connect }, client => limited(client, terms.timeoutMs, destroy)(config)),
    () => true,
    () => true,
  )
  return facadeOf(pool, terms, { query, connect: async () => ownClient(terms, await connect(), true) }, pools)
}

const termsLike = (like: Pool | undefined): Terms => {
  const pool = like === undefined ? undefined : databaseOn(like)
  const home = pool === undefined ? undefined : homes.get(pool)
  return { home: home ?? newHome(), timeoutMs: pool === undefined ? USUAL_TIMEOUT_MS : timeoutOf(pool) }
}
/**
 * The same pool for work that is useless once `signal` is aborted: calls that wait then fail with the signal's reason,
 * the server is asked to cancel the statement, and its connection is closed.
 */
export const databaseUntil = (pool: Pool, signal: AbortSignal): Pool => {
  const ours = databaseOn(pool)
  const terms: Terms = { home: homes.get(ours) ?? newHome(), timeoutMs: timeoutOf(ours) }
  const raw = (raws.get(ours) ?? ours) as Pool
  const connect = (): Promise<PoolClient> => until(signal, () => connectIn(raw, terms.timeoutMs), giveBack)
  const onClient = (client: ClientBase): RunQuery => {
    const run = limited(client, terms.timeoutMs, destroy)
    const end = (): void => {
      giveUpStatement(client, null)
      destroy(client)
    }
    return config => until(signal, () => run(config), end)
  }
  const lend = async (): Promise<PoolClient> => {
    const client = await connect()
    const query = runIn(
      terms.home,
      onClient(client),
      () => true,
      () => isIdle(client),
    )
    return facadeOf(client, terms, { query, end: () => endInTime(client) })
  }
  const query = runIn(
    terms.home,
    config => withClient({ connect }, client => onClient(client)(config)),
    () => true,
    () => true,
  )
  return facadeOf(raw, terms, { query, connect: lend })
}

/** The time limit that a pool or a client has here. */
export const timeoutOf = (db: ClientBase | Pool): number => timeouts.get(onDatabase(db)) ?? USUAL_TIMEOUT_MS

/** A user's client for statements of the bus; `like` is a pool on the same database. */
export const sessionOn = <A extends ClientBase>(client: A, like?: Pool): A => usersClient(termsLike(like), client)

/** The same for another connection of the bus: a statement that gets no answer closes it. */
export const ownSessionOn = <A extends ClientBase>(client: A, like?: Pool): A => ownClient(termsLike(like), client)

/**
 * The same client without a time limit, for work that may take long: migrations, indexes, reads of everything. A lost
 * network is still noticed.
 */
export const unhurried = <A extends ClientBase>(client: A): A => {
  const raw = rawClient(client)
  const terms = { home: homes.get(client) ?? newHome(), timeoutMs: USUAL_TIMEOUT_MS }
  keepAlive(raw)
  const query = runIn(
    terms.home,
    config => raw.query(config),
    () => false,
    () => false,
  )
  return facadeOf(raw, terms, { query })
}

/** The kind of pooler that the pool's connections go through; null: not known yet. */
export const knownPooling = (pool: Pool): Pooling | null => homes.get(databaseOn(pool))?.pooling ?? null

/** @param client the pool's client with which `pooling` was found */
export const notePooling = (pool: Pool, pooling: Pooling, client?: ClientBase): void => {
  const home = homes.get(databaseOn(pool))
  if (home === undefined) return
  home.pooling = pooling
  if (client !== undefined) home.place = placeOf(client)
}

/** Does not ask for the class: a pool may come from another copy of `pg`. */
export const isPool = (db: ClientBase | Pool): db is Pool => 'totalCount' in db

/** A pool or a client for statements of the bus. */
export const onDatabase = (db: ClientBase | Pool): ClientBase | Pool => (isPool(db) ? databaseOn(db) : sessionOn(db))
