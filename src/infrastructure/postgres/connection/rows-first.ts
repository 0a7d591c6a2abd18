import pg, { type ClientBase, type Connection, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg'

/** A statement whose rows are passed on when they are there, which may be before its transaction has been committed. */
export interface RowsFirst extends QueryConfig {
  readonly onRows: (rows: readonly QueryResultRow[]) => void
}

/** What `pg` does not declare of its statements. */
interface StatementParts extends pg.Query {
  callback: (error: Error | null, result: QueryResult) => void
  handleCommandComplete(message: unknown, connection: Connection): void
}

/** As many rows as the protocol can ask for. With a limit `pg` asks for the commit only when it has the rows. */
const ALL = 2 ** 31 - 1

const Statement = pg.Query as unknown as new (config: QueryConfig & { readonly rows: number }) => StatementParts

class RowsFirstStatement extends Statement {
  readonly #rows: QueryResultRow[] = []
  readonly #onRows: RowsFirst['onRows']

  constructor({ onRows, ...config }: RowsFirst) {
    super({ ...config, rows: ALL })
    this.#onRows = onRows
    this.on('row', row => this.#rows.push(row))
  }

  /** The commit is asked for first: it comes even if what the rows begin ends this process. */
  override handleCommandComplete(message: unknown, connection: Connection): void {
    super.handleCommandComplete(message, connection)
    this.#onRows(this.#rows)
  }
}

/** Another kind of client may speak to the server in its own way, and one that sends statements ahead refuses a limit of rows. */
const canHaveRowsFirst = (client: ClientBase): boolean => {
  const { connection, pipeline } = client as { connection?: { readonly flush?: unknown }; readonly pipeline?: boolean }
  return typeof connection?.flush === 'function' && pipeline !== true
}

export const isRowsFirst = (config: QueryConfig): config is RowsFirst => 'onRows' in config

/** Runs a statement. Its rows come with its end where the client cannot have them before. */
export const runOn = (client: ClientBase, config: QueryConfig): Promise<QueryResult> => {
  if (!isRowsFirst(config)) return client.query(config)
  if (!canHaveRowsFirst(client)) return withRows(config, plain => client.query(plain))
  return new Promise((resolve, reject) => {
    const statement = new RowsFirstStatement(config)
    statement.callback = (error, result) => (error === null ? resolve(result) : reject(error))
    client.query(statement)
  })
}

/** The same as any other statement: its rows are passed on when it has ended. */
export const withRows = async (
  { onRows, ...config }: RowsFirst,
  run: (config: QueryConfig) => Promise<QueryResult>,
): Promise<QueryResult> => {
  const result = await run(config)
  onRows(result.rows)
  return result
}
