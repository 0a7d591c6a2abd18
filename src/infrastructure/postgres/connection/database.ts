import { createHash } from 'node:crypto'
import type { ClientBase, Pool, PoolClient, QueryConfig, QueryResult } from 'pg'
import { findInstallation } from './installation.ts'
import { inSchema, namesOurs } from './names.ts'
import { isLostStatement, type Pooling } from './pooling.ts'
import { ownTypes } from './types.ts'

/**
 * Statements of ours on connections of others. A pool or a client given by the user has type parsers, a search path and
 * settings of its own, and other statements with other names; ours mean the same on all of them:
 *
 * - values are read by `ownTypes`, not by what the process has set for `pg`
 * - our tables and functions are named with their schema, which is looked up once
 * - a named statement carries a mark of its text, so that another version in this process does not meet it; it has no
 *   name where a pooler may give the next one another connection, nor before that is known
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

const homes = new WeakMap<object, Home>()
const facades = new WeakMap<object, object>()
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

/** The same object with other methods; what they do not replace is the object's own. */
const facadeOf = <A extends Pool | ClientBase>(target: A, methods: Readonly<Record<string, unknown>>): A => {
  const facade = new Proxy(target, {
    get: (_, key) => {
      if (typeof key === 'string' && Object.hasOwn(methods, key)) return methods[key]
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  facades.set(target, facade)
  raws.set(facade, target)
  return facade
}

/** Outside any transaction; a client that does not know may be in one. */
const isIdle = (client: ClientBase): boolean => client.getTransactionStatus?.() === 'I'

/** @param own: of the pool whose home it is */
const clientIn = <A extends ClientBase>(home: Home, client: A, own = false): A => {
  if (raws.has(client)) return client
  const known = facades.get(client)
  if (known !== undefined && homes.get(known) === home) return known as A
  const query = runIn(
    home,
    config => client.query(config),
    () => own || placeOf(client) === home.place,
    () => isIdle(client),
  )
  const facade = facadeOf(client, { query })
  homes.set(facade, home)
  return facade
}

export interface DatabaseOptions {
  /** Another pool on the same database: what is known of one is known of both. */
  readonly like?: Pool
  /** The server ends a transaction that does nothing for so long. */
  readonly idleInTransactionMs?: number
}

/** A pool, the bus's or the user's, as statements of ours use it. */
export const databaseOn = (pool: Pool, { like, idleInTransactionMs }: DatabaseOptions = {}): Pool => {
  if (raws.has(pool)) return pool
  const known = facades.get(pool)
  if (known !== undefined) return known as Pool
  const home = (like === undefined ? undefined : homes.get(databaseOn(like))) ?? newHome(idleInTransactionMs)
  const facade = facadeOf(pool, {
    query: runIn(
      home,
      config => pool.query(config),
      () => true,
      () => true,
    ),
    connect: async (): Promise<PoolClient> => clientIn(home, await pool.connect(), true),
  })
  homes.set(facade, home)
  return facade
}

/** A client, the user's or one more of ours, as statements of ours use it; `like` knows where our tables are. */
export const sessionOn = <A extends ClientBase>(client: A, like?: Pool): A =>
  clientIn((like === undefined ? undefined : homes.get(databaseOn(like))) ?? newHome(), client)

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
