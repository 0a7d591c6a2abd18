import type { ClientBase, Pool, PoolClient } from 'pg'
import { destroy, endInTime, giveUpStatement, keepAlive } from '../network/give-up.ts'
import { USUAL_TIMEOUT_MS } from '../network/time-limit.ts'
import { type Facades, facadeIn, facadeOf, homes, raws, type Terms, timeouts } from './facade.ts'
import { newHome, placeOf, type RunQuery, runIn } from './home.ts'
import type { Pooling } from './pooling.ts'
import { connectIn, giveBack, isIdle, limited, until } from './waiting.ts'
import { withClient } from './with-client.ts'

/**
 * Statements of ours on connections of others. A pool or a client given by the user has type parsers, a search path and
 * settings of its own, and other statements with other names; ours mean the same on all of them:
 *
 * - values are read by `ownTypes`, not by what the process has set for `pg`
 * - our tables and functions are named with their schema, which is looked up once
 * - a named statement carries a mark of its text, so that another version in this process does not meet it; it has no
 *   name where a pooler may give the next one another connection, nor before that is known
 * - each has a time limit, also where the database says nothing any more: then the server is asked to end the statement,
 *   and a connection of ours is thrown away; one of the user's stays his
 *
 * What it gives is used like the pool or client it was made from; `rawClient` gives the user's client back.
 */

const pools: Facades = new WeakMap()
/** Clients as ours, and as their users': the same one may be either, at different times. */
const ownClients: Facades = new WeakMap()
const usersClients: Facades = new WeakMap()

/** @param ofPool: of the pool whose home it is */
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
    // his next statement, a rollback, waits until this one has ended
    limited(client, timeoutMs, () => {}),
    () => placeOf(client) === home.place,
    () => isIdle(client),
  )
  return facadeOf(client, terms, { query }, usersClients)
}

export interface DatabaseOptions {
  /** Another pool on the same database: what is known of one is known of both. */
  readonly like?: Pool
  /** The server ends a transaction that does nothing for so long. */
  readonly idleInTransactionMs?: number
  /** For a connection, and for the answer to a statement. Default: as before, or the usual one. */
  readonly timeoutMs?: number
}

/** A pool, the bus's or the user's, as statements of ours use it. */
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
 * The same pool for work that is of no use once `signal` is aborted: whatever waits then fails with the signal's reason,
 * the server is asked to end the statement, and its connection is thrown away.
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

/** A client of the user's, as statements of ours use it; `like` knows where our tables are. */
export const sessionOn = <A extends ClientBase>(client: A, like?: Pool): A => usersClient(termsLike(like), client)

/** The same for one more connection of ours: a statement that is not answered ends it. */
export const ownSessionOn = <A extends ClientBase>(client: A, like?: Pool): A => ownClient(termsLike(like), client)

/**
 * The same client without a time limit, for what may rightly take long: migrations, indexes, reads of everything. A
 * network that is gone is noticed all the same.
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

/** What is known of the pool's connections by now. */
export const knownPooling = (pool: Pool): Pooling | null => homes.get(databaseOn(pool))?.pooling ?? null

/** `client`: one of the pool's that it was found out with. */
export const notePooling = (pool: Pool, pooling: Pooling, client?: ClientBase): void => {
  const home = homes.get(databaseOn(pool))
  if (home === undefined) return
  home.pooling = pooling
  if (client !== undefined) home.place = placeOf(client)
}

/** The client that a user handed in, or that a handler of his gets. */
export const rawClient = <A extends ClientBase>(client: A): A => (raws.get(client) as A | undefined) ?? client

/** Not by its class: it may come from another copy of `pg`. */
export const isPool = (db: ClientBase | Pool): db is Pool => 'totalCount' in db

/** Either of them, as statements of ours use it. */
export const onDatabase = (db: ClientBase | Pool): ClientBase | Pool => (isPool(db) ? databaseOn(db) : sessionOn(db))
