import { createHash } from 'node:crypto'
import type { ClientBase, Pool, PoolClient, QueryConfig, QueryResult } from 'pg'
import { withClient } from '../with-client.ts'
import { cancelStatement, destroy, endInTime, keepAlive } from './give-up.ts'
import { findInstallation } from './installation.ts'
import { inSchema, namesOurs } from './names.ts'
import { answeredWithin, NoAnswerError, USUAL_TIMEOUT_MS } from './time-limit.ts'
import { ownTypes } from './types.ts'

/**
 * Statements of ours on connections of others. A pool or a client given by the user has type parsers, a search path and
 * settings of its own, and other statements with other names; ours mean the same on all of them:
 *
 * - values are read by `ownTypes`, not by what the process has set for `pg`
 * - our tables and functions are named with their schema, which is looked up once
 * - a named statement carries a mark of its text, so that another version in this process does not meet it
 * - each has a time limit, also where the database says nothing any more: then the server is asked to end the statement,
 *   and a connection of ours is thrown away; one of the user's stays his
 *
 * What it gives is used like the pool or client it was made from; `rawClient` gives the user's client back.
 */

interface Statement {
  readonly text: string
  /** Marks the text in the name of a prepared statement. */
  readonly mark: string
}

/** Knows where our tables are, once somebody has found them. */
interface Home {
  schema: string | null
  readonly statements: Map<string, Statement>
  /** For a connection, and for the answer to a statement. */
  readonly timeoutMs: number
}

type Query = string | QueryConfig
type RunQuery = (config: QueryConfig) => Promise<QueryResult>

/** Statements are few; a text that is built from a name a user chose must not pile up. */
const MAX_STATEMENTS = 500

type Facades = WeakMap<object, object>

const homes = new WeakMap<object, Home>()
const pools: Facades = new WeakMap()
/** Clients as ours, and as their users': the same one may be either, at different times. */
const ownClients: Facades = new WeakMap()
const usersClients: Facades = new WeakMap()
const raws = new WeakMap<object, object>()

const newHome = (timeoutMs: number): Home => ({ schema: null, statements: new Map(), timeoutMs })

const statementOf = ({ schema, statements }: Home, sql: string): Statement => {
  const known = statements.get(sql)
  if (known !== undefined) return known
  const text = schema === null ? sql : inSchema(sql, schema)
  const made = { text, mark: createHash('sha256').update(text).digest('hex').slice(0, 12) }
  // as long as nobody has migrated, names mean what the search path says
  if (schema !== null && statements.size < MAX_STATEMENTS) statements.set(sql, made)
  return made
}

const runIn =
  (home: Home, run: RunQuery) =>
  async (query: Query, values?: unknown[]): Promise<QueryResult> => {
    const config: QueryConfig = typeof query === 'string' ? { text: query } : query
    if (home.schema === null && namesOurs(config.text)) {
      home.schema = await findInstallation(async text => run({ text, types: ownTypes }))
    }
    const { text, mark } = statementOf(home, config.text)
    return run({
      ...config,
      text,
      types: ownTypes,
      ...(values === undefined ? {} : { values }),
      ...(config.name === undefined ? {} : { name: `${config.name}_${mark}` }),
    })
  }

/** The same object with other methods; what they do not replace is the object's own. */
const facadeOf = <A extends Pool | ClientBase>(
  target: A,
  home: Home,
  methods: Readonly<Record<string, unknown>>,
  known?: Facades,
): A => {
  const facade = new Proxy(target, {
    get: (_, key) => {
      if (typeof key === 'string' && Object.hasOwn(methods, key)) return methods[key]
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  known?.set(target, facade)
  raws.set(facade, target)
  homes.set(facade, home)
  return facade
}

const limited =
  (client: ClientBase, timeoutMs: number, onLate: (client: ClientBase) => void): RunQuery =>
  config =>
    answeredWithin(timeoutMs, client.query(config), () => {
      cancelStatement(client)
      onLate(client)
      return new NoAnswerError(timeoutMs)
    })

const ownClient = <A extends ClientBase>(home: Home, client: A): A => {
  const known = ownClients.get(client)
  if (known !== undefined && homes.get(known) === home) return known as A
  const query = runIn(home, limited(client, home.timeoutMs, destroy))
  return facadeOf(client, home, { query, end: () => endInTime(client) }, ownClients)
}

const usersClient = <A extends ClientBase>(home: Home, client: A): A => {
  if (raws.has(client)) return client
  const known = usersClients.get(client)
  if (known !== undefined && homes.get(known) === home) return known as A
  // his next statement, a rollback, waits until this one has ended
  const query = runIn(
    home,
    limited(client, home.timeoutMs, () => {}),
  )
  return facadeOf(client, home, { query }, usersClients)
}

/** A connection that nobody waits for any more goes back at once when it comes. */
const giveBack = (coming: Promise<PoolClient>): void => {
  coming.then(
    client => client.release(),
    () => {},
  )
}

/** A connection of the pool, or an error after the time limit; one that comes later goes back at once. */
const connectIn = (pool: Pool, timeoutMs: number): Promise<PoolClient> => {
  const coming = pool.connect()
  const { connectionTimeoutMillis: own = 0 } = pool.options
  if (own > 0 && own <= timeoutMs) return coming
  return answeredWithin(timeoutMs, coming, () => {
    giveBack(coming)
    const isFull = pool.totalCount >= pool.options.max && pool.waitingCount > 0
    // as the pool says it itself, where it has a limit of its own
    return isFull ? new Error('timeout exceeded when trying to connect') : new NoAnswerError(timeoutMs)
  })
}

/** A pool, the bus's or the user's, as statements of ours use it. */
export const databaseOn = (pool: Pool, timeoutMs = USUAL_TIMEOUT_MS): Pool => {
  if (raws.has(pool)) return pool
  const known = pools.get(pool)
  if (known !== undefined && homes.get(known)?.timeoutMs === timeoutMs) return known as Pool
  const home = newHome(timeoutMs)
  const connect = (): Promise<PoolClient> => connectIn(pool, timeoutMs)
  const query = runIn(home, config => withClient({ connect }, client => limited(client, timeoutMs, destroy)(config)))
  return facadeOf(pool, home, { query, connect: async () => ownClient(home, await connect()) }, pools)
}

/** What `begin` gives, or the reason of the signal once nobody waits any more; `onEnd` stops what is under way. */
const until = <A>(signal: AbortSignal, begin: () => Promise<A>, onEnd: (work: Promise<A>) => void): Promise<A> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const work = begin()
    const stop = (): void => {
      reject(signal.reason)
      onEnd(work)
    }
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })

/**
 * The same pool for work that is of no use once `signal` is aborted: whatever waits then fails with the signal's reason,
 * the server is asked to end the statement, and its connection is thrown away.
 */
export const databaseUntil = (pool: Pool, signal: AbortSignal): Pool => {
  const ours = databaseOn(pool)
  const home = homes.get(ours) ?? newHome(USUAL_TIMEOUT_MS)
  const raw = (raws.get(ours) ?? ours) as Pool
  const connect = (): Promise<PoolClient> =>
    until(
      signal,
      () => connectIn(raw, home.timeoutMs),
      coming => giveBack(coming),
    )
  const onClient = (client: ClientBase): RunQuery => {
    const run = limited(client, home.timeoutMs, destroy)
    const end = (): void => {
      cancelStatement(client)
      destroy(client)
    }
    return config => until(signal, () => run(config), end)
  }
  const lend = async (): Promise<PoolClient> => {
    const client = await connect()
    return facadeOf(client, home, { query: runIn(home, onClient(client)), end: () => endInTime(client) })
  }
  const query = runIn(home, config => withClient({ connect }, client => onClient(client)(config)))
  return facadeOf(raw, home, { query, connect: lend })
}

const homeLike = (like: Pool | undefined): Home =>
  (like === undefined ? undefined : homes.get(databaseOn(like))) ?? newHome(USUAL_TIMEOUT_MS)

/** The time limit that a pool or a client has here. */
export const timeoutOf = (db: ClientBase | Pool): number => homes.get(onDatabase(db))?.timeoutMs ?? USUAL_TIMEOUT_MS

/** A client of the user's, as statements of ours use it; `like` knows where our tables are. */
export const sessionOn = <A extends ClientBase>(client: A, like?: Pool): A => usersClient(homeLike(like), client)

/** The same for one more connection of ours: a statement that is not answered ends it. */
export const ownSessionOn = <A extends ClientBase>(client: A, like?: Pool): A => ownClient(homeLike(like), client)

/**
 * The same client without a time limit, for what may rightly take long: migrations, indexes, reads of everything. A
 * network that is gone is noticed all the same.
 */
export const unhurried = <A extends ClientBase>(client: A): A => {
  const raw = rawClient(client)
  const home = homes.get(client) ?? newHome(USUAL_TIMEOUT_MS)
  keepAlive(raw)
  return facadeOf(raw, home, { query: runIn(home, config => raw.query(config)) })
}

/** The client that a user handed in, or that a handler of his gets. */
export const rawClient = <A extends ClientBase>(client: A): A => (raws.get(client) as A | undefined) ?? client

/** Not by its class: it may come from another copy of `pg`. */
export const isPool = (db: ClientBase | Pool): db is Pool => 'totalCount' in db

/** Either of them, as statements of ours use it. */
export const onDatabase = (db: ClientBase | Pool): ClientBase | Pool => (isPool(db) ? databaseOn(db) : sessionOn(db))
