import { createHash } from 'node:crypto'
import type { ClientBase, Pool, PoolClient, QueryConfig, QueryResult } from 'pg'
import { destroy, endInTime, giveUpStatement, keepAlive, lastStatement } from './give-up.ts'
import { findInstallation } from './installation.ts'
import { inSchema, namesOurs } from './names.ts'
import { isLostStatement, type Pooling } from './pooling.ts'
import { answeredWithin, NoAnswerError, USUAL_TIMEOUT_MS } from './time-limit.ts'
import { ownTypes } from './types.ts'
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

interface Statement {
  readonly text: string
  /** Marks the text in the name of a prepared statement. */
  readonly mark: string
}

/** Knows where our tables are, once somebody has found them. */
interface Home {
  schema: string | null
  readonly statements: Map<string, Statement>
  /** Null: not known yet. */
  pooling: Pooling | null
  /** Where the pool's connections lead to: what is known of them says nothing about others. */
  place: string | null
  readonly idleInTransactionMs: number | null
}

type Query = string | QueryConfig
type RunQuery = (config: QueryConfig) => Promise<QueryResult>

/** Statements are few; a text that is built from a name a user chose must not pile up. */
const MAX_STATEMENTS = 500

type Facades = WeakMap<object, object>

const homes = new WeakMap<object, Home>()
/** How long a facade waits for a connection, and for the answer to a statement. */
const timeouts = new WeakMap<object, number>()
const pools: Facades = new WeakMap()
/** Clients as ours, and as their users': the same one may be either, at different times. */
const ownClients: Facades = new WeakMap()
const usersClients: Facades = new WeakMap()
const raws = new WeakMap<object, object>()

const newHome = (idleInTransactionMs: number | null = null): Home => ({
  schema: null,
  statements: new Map(),
  pooling: null,
  place: null,
  idleInTransactionMs,
})

const placeOf = (client: ClientBase): string => {
  const { host, port } = client as ClientBase & { readonly host?: string; readonly port?: number }
  return `${host}:${port}`
}

const statementOf = ({ schema, statements }: Home, sql: string): Statement => {
  const known = statements.get(sql)
  if (known !== undefined) return known
  const text = schema === null ? sql : inSchema(sql, schema)
  const made = { text, mark: createHash('sha256').update(text).digest('hex').slice(0, 12) }
  // as long as nobody has migrated, names mean what the search path says
  if (schema !== null && statements.size < MAX_STATEMENTS) statements.set(sql, made)
  return made
}

/**
 * A session that was given this in its start packet would be refused by poolers, and one that is set would have it for
 * others, too.
 */
const withLimit = ({ idleInTransactionMs: ms }: Home, text: string): string =>
  ms !== null && /^begin\b/.test(text) ? `${text}; set local idle_in_transaction_session_timeout = ${ms}` : text

/** @param mayName whether a statement can have a name on this connection */
const runIn =
  (home: Home, run: RunQuery, mayName: () => boolean, isIdle: () => boolean) =>
  async (query: Query, values?: unknown[]): Promise<QueryResult> => {
    const config: QueryConfig = typeof query === 'string' ? { text: query } : query
    if (home.schema === null && namesOurs(config.text)) {
      home.schema = await findInstallation(async text => run({ text, types: ownTypes }))
    }
    const { text, mark } = statementOf(home, config.text)
    const { name, ...unnamed } = {
      ...config,
      text: withLimit(home, text),
      types: ownTypes,
      ...(values === undefined ? {} : { values }),
    }
    if (name === undefined || home.pooling === null || home.pooling === 'transaction' || !mayName()) return run(unnamed)
    const wasIdle = isIdle()
    try {
      return await run({ ...unnamed, name: `${name}_${mark}` })
    } catch (error) {
      if (!isLostStatement(error)) throw error
      // the pooler is another one than it was: the statement was not carried out
      home.pooling = 'transaction'
      if (!wasIdle) throw error
      return run(unnamed)
    }
  }

/** What its statements share with others, and how long they may take. */
interface Terms {
  readonly home: Home
  readonly timeoutMs: number
}

/** The same object with other methods; what they do not replace is the object's own. */
const facadeOf = <A extends Pool | ClientBase>(
  target: A,
  { home, timeoutMs }: Terms,
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
  timeouts.set(facade, timeoutMs)
  return facade
}

/** The facade that was made before, if it was made on the same terms. */
const facadeIn = <A extends object>(known: Facades, target: A, { home, timeoutMs }: Terms): A | undefined => {
  const facade = known.get(target)
  return facade !== undefined && homes.get(facade) === home && timeouts.get(facade) === timeoutMs
    ? (facade as A)
    : undefined
}

/** Outside any transaction; a client that does not know may be in one. */
const isIdle = (client: ClientBase): boolean => client.getTransactionStatus?.() === 'I'

const limited =
  (client: ClientBase, timeoutMs: number, onLate: (client: ClientBase) => void): RunQuery =>
  config => {
    const answer = client.query(config)
    const statement = lastStatement(client)
    return answeredWithin(timeoutMs, answer, () => {
      giveUpStatement(client, statement)
      onLate(client)
      return new NoAnswerError(timeoutMs)
    })
  }

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

const unheard = (): void => {}

/**
 * What a server sends may end a connection together with its beginning: the pool listens no more by then, and whoever asked
 * for the connection does not listen yet.
 */
const lentBy = (pool: Pool): Promise<PoolClient> =>
  new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) return reject(error)
      // one that nobody waits for any more may pass through many hands before this turn of the loop is over
      if (!client.listeners('error').includes(unheard)) {
        client.on('error', unheard)
        setImmediate(() => client.off('error', unheard))
      }
      resolve(client)
    })
  })

/** A connection that nobody waits for any more goes back at once when it comes. */
const giveBack = (coming: Promise<PoolClient>): void => {
  coming.then(
    client => client.release(),
    () => {},
  )
}

/** A connection of the pool, or an error after the time limit; one that comes later goes back at once. */
const connectIn = (pool: Pool, timeoutMs: number): Promise<PoolClient> => {
  const coming = lentBy(pool)
  const { connectionTimeoutMillis: own = 0 } = pool.options
  if (own > 0 && own <= timeoutMs) return coming
  return answeredWithin(timeoutMs, coming, () => {
    giveBack(coming)
    const isFull = pool.totalCount >= pool.options.max && pool.waitingCount > 0
    // as the pool says it itself, where it has a limit of its own
    return isFull ? new Error('timeout exceeded when trying to connect') : new NoAnswerError(timeoutMs)
  })
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
