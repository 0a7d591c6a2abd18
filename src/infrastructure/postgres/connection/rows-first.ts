import pg, { type ClientBase, type Connection, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg'

/** A statement whose rows are passed on before its transaction is committed, where that is possible. Its answer has them, too. */
export interface RowsFirst extends QueryConfig {
  readonly onRows: (rows: readonly QueryResultRow[]) => void
}

/** What `pg` does not declare of its statements. */
interface StatementParts extends pg.Query {
  callback: (error: Error | null, result: QueryResult) => void
  portal: string
  _getRows(connection: Connection): void
  handleCommandComplete(message: unknown, connection: Connection): void
}

const Statement = pg.Query as unknown as new (config: QueryConfig & { readonly queryMode: string }) => StatementParts

class RowsFirstStatement extends Statement {
  /** The bus has a time limit of its own; that of a user's pool would take an answer for late after a blocked event loop. */
  readonly query_timeout = 2 ** 31 - 1
  readonly #rows: QueryResultRow[] = []
  readonly #onRows: RowsFirst['onRows']

  constructor({ onRows, ...config }: RowsFirst) {
    super({ ...config, queryMode: 'extended' })
    this.#onRows = onRows
    this.on('row', row => this.#rows.push(row))
  }

  /** The commit is asked for together with the rows: it does not depend on what becomes of this process. */
  override _getRows(connection: Connection): void {
    connection.execute({ portal: this.portal }, false)
    connection.flush()
    connection.sync()
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    super.handleCommandComplete(message, connection)
    this.#onRows(this.#rows)
  }
}

/** A client of another copy of `pg`, or of another kind, may work in its own way. */
const canHaveRowsFirst = (client: ClientBase): boolean =>
  client instanceof pg.Client && typeof Statement.prototype._getRows === 'function'

export const isRowsFirst = (config: QueryConfig): config is RowsFirst => 'onRows' in config

/** The statement as any other. */
export const rowsLast = ({ onRows, ...config }: RowsFirst): QueryConfig => config

export const runOn = (client: ClientBase, config: QueryConfig): Promise<QueryResult> => {
  if (!isRowsFirst(config)) return client.query(config)
  if (!canHaveRowsFirst(client)) return client.query(rowsLast(config))
  return new Promise((resolve, reject) => {
    const statement = new RowsFirstStatement(config)
    statement.callback = (error, result) => (error === null ? resolve(result) : reject(error))
    client.query(statement)
  })
}
