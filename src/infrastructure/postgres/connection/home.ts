import { createHash } from 'node:crypto'
import type { ClientBase, QueryConfig, QueryResult } from 'pg'
import { findInstallation } from './installation.ts'
import { inSchema, namesOurs } from './names.ts'
import { isLostStatement, type Pooling } from './pooling.ts'
import { ownTypes } from './types.ts'

interface Statement {
  readonly text: string
  /** The mark of the text in the name of a prepared statement. */
  readonly mark: string
}

/** What is known of where the bus's tables are. */
export interface Home {
  schema: string | null
  readonly statements: Map<string, Statement>
  /** Null: not known yet. */
  pooling: Pooling | null
  /** The server and database that the pool connects to; `pooling` holds for this place only. */
  place: string | null
  readonly idleInTransactionMs: number | null
}

type Query = string | QueryConfig
export type RunQuery = (config: QueryConfig) => Promise<QueryResult>

/** There are few statements, but a text can contain a name that a user chose: this bounds how many are kept. */
const MAX_STATEMENTS = 500

export const newHome = (idleInTransactionMs: number | null = null): Home => ({
  schema: null,
  statements: new Map(),
  pooling: null,
  place: null,
  idleInTransactionMs,
})

export const placeOf = (client: ClientBase): string => {
  const { host, port } = client as ClientBase & { readonly host?: string; readonly port?: number }
  return `${host}:${port}`
}

const statementOf = ({ schema, statements }: Home, sql: string): Statement => {
  const known = statements.get(sql)
  if (known !== undefined) return known
  const text = schema === null ? sql : inSchema(sql, schema)
  const made = { text, mark: createHash('sha256').update(text).digest('hex').slice(0, 12) }
  // before the first migration, names are resolved by the search path
  if (schema !== null && statements.size < MAX_STATEMENTS) statements.set(sql, made)
  return made
}

/**
 * Sets the limit in the statement. Poolers refuse it in the start packet of a session, and `set` would change the session
 * for others, too.
 */
const withLimit = ({ idleInTransactionMs: ms }: Home, text: string): string =>
  ms !== null && /^begin\b/.test(text) ? `${text}; set local idle_in_transaction_session_timeout = ${ms}` : text

/** @param mayName whether a statement may have a name on this connection */
export const runIn =
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
      // the pooler has changed: the statement was not run
      home.pooling = 'transaction'
      if (!wasIdle) throw error
      return run(unnamed)
    }
  }
