import pg, { type ClientBase, type Pool } from 'pg'
import { CommandBusError } from '../../application/errors.ts'
import { databaseOn, rawClient, sessionOn } from './connection/database.ts'
import { chooseSchema, pinFunctions } from './connection/schema.ts'
import { type Migration, MigrationError, migrationsDirectory, readMigrations } from './migration-files.ts'
import { withClient } from './with-client.ts'

export { type Migration, MigrationError, migrationsDirectory } from './migration-files.ts'

/** Raised when the schema's version does not suit this code; `message` says whether to migrate or to upgrade. */
export class SchemaVersionError extends CommandBusError {
  override readonly name = 'SchemaVersionError'
  /** Version of the database; 0 when it has no schema yet. */
  readonly current: number
  /** Highest version this code knows. */
  readonly latest: number

  constructor(message: string, current: number, latest: number) {
    super('SCHEMA_VERSION', message)
    this.current = current
    this.latest = latest
  }
}

export interface MigrationOptions {
  /** Directory of the `NNNN_name.sql` files; default the package's own. */
  readonly directory?: string
}

export interface MigrateOptions extends MigrationOptions {
  /** Stop after this version; default the latest. Versions beyond it that are applied already stay. */
  readonly target?: number
  /**
   * Where the tables go: made when it is not there. Default: where they are already, else the first schema of the search
   * path. A database holds one installation.
   */
  readonly schema?: string
  /** Called before each file that is applied. */
  readonly onApply?: (migration: Migration) => void
}

export interface SchemaStatus {
  readonly current: number
  readonly latest: number
  /** Known versions that are not applied, in order. */
  readonly pending: readonly Migration[]
}

const LOCK_KEY = 'commandbus:migrate'

interface Applied {
  readonly version: number
  readonly name: string
  readonly checksum: string
}

const readApplied = async (client: ClientBase | Pool): Promise<readonly Applied[]> => {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('command_bus_migration') is not null as there`,
  )
  if (rows[0]?.there !== true) return []
  return (await client.query<Applied>('select version, name, checksum from command_bus_migration order by version'))
    .rows
}

const compare = (applied: readonly Applied[], known: readonly Migration[]): SchemaStatus => {
  const current = applied.at(-1)?.version ?? 0
  const latest = known.at(-1)?.version ?? 0
  if (current > latest)
    throw new SchemaVersionError(
      `The database schema is at version ${current}, this commandbus knows up to ${latest}: upgrade commandbus.`,
      current,
      latest,
    )
  for (const { version, name, checksum } of applied)
    if (known[version - 1]?.checksum !== checksum)
      throw new MigrationError(
        `Migration ${version} (${name}) was changed after it was applied to this database: ` +
          'restore the file as it was released, and put changes into a new migration.',
      )
  return { current, latest, pending: known.slice(current) }
}

const lineOf = (sql: string, error: unknown): string => {
  const position = error instanceof pg.DatabaseError ? Number(error.position) : Number.NaN
  return position > 0 ? ` in line ${sql.slice(0, position).split('\n').length}` : ''
}

const apply = async (client: ClientBase, schema: string, migration: Migration): Promise<void> => {
  const { version, name, checksum, sql } = migration
  try {
    await client.query('begin')
    await client.query(`set local search_path = "${schema}"; set local standard_conforming_strings = on`)
    await client.query(sql)
    await client.query('insert into command_bus_migration (version, name, checksum) values ($1::int, $2, $3)', [
      version,
      name,
      checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw new MigrationError(
      `Migration ${version} (${name}) failed${lineOf(sql, error)} and changed nothing: ` +
        `${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

const createTable = (schema: string): string => `create table if not exists "${schema}".command_bus_migration (
  version int primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
)`

const explainRefusal = (error: unknown): never => {
  const code = error instanceof pg.DatabaseError ? error.code : undefined
  if (code === '25006')
    throw new MigrationError('The database is read-only: connect to its primary server to migrate.', { cause: error })
  if (code === '42501')
    throw new MigrationError('This role may not create tables: migrate as the owner of the database.', { cause: error })
  throw error
}

const migrateLocked = async (client: ClientBase, options: MigrateOptions): Promise<readonly Migration[]> => {
  const { directory = migrationsDirectory, onApply = () => undefined } = options
  const known = await readMigrations(directory)
  const { target = known.length } = options
  if (!Number.isInteger(target) || target < 0 || target > known.length)
    throw new MigrationError(`There is no schema version ${target}: choose one from 0 to ${known.length}.`)
  const { pending } = compare(await readApplied(client), known)
  const wanted = pending.filter(({ version }) => version <= target)
  const schema = await chooseSchema(client, options.schema).catch(explainRefusal)
  if (wanted.length === 0) return wanted
  // the files speak of our tables by their bare names
  const plain = rawClient(client)
  await plain.query(createTable(schema)).catch(explainRefusal)
  for (const migration of wanted) {
    onApply(migration)
    await apply(plain, schema, migration)
  }
  await pinFunctions(plain, schema)
  return wanted
}

const underLock = async <A>(client: ClientBase, body: () => Promise<A>): Promise<A> => {
  await client.query('select pg_advisory_lock(hashtextextended($1::text, 0))', [LOCK_KEY])
  try {
    return await body()
  } finally {
    // A connection that broke has lost the lock with the session.
    await client.query('select pg_advisory_unlock(hashtextextended($1::text, 0))', [LOCK_KEY]).catch(() => undefined)
  }
}

/**
 * Applies the migrations that the database lacks, each in its own transaction, one migrator at a time. Gives those it applied.
 * @param db a pool, or a connection outside any transaction (a direct one: the lock belongs to the session)
 * @throws SchemaVersionError for a database newer than this code
 * @throws MigrationError for a failed, changed or misnamed file; earlier files stay applied
 */
export const migrate = async (db: ClientBase | Pool, options: MigrateOptions = {}): Promise<readonly Migration[]> => {
  const on = (client: ClientBase) => underLock(client, () => migrateLocked(client, options))
  return isPool(db) ? withClient(databaseOn(db), on) : on(sessionOn(db))
}

/**
 * Versions of the database and of this code. Reads only.
 * @throws SchemaVersionError, MigrationError as `migrate` does
 */
export const schemaStatus = async (
  db: ClientBase | Pool,
  { directory = migrationsDirectory }: MigrationOptions = {},
): Promise<SchemaStatus> => {
  const known = await readMigrations(directory)
  return compare(await readApplied(isPool(db) ? databaseOn(db) : sessionOn(db)), known)
}

/** Not by its class: it may come from another copy of `pg`. */
const isPool = (db: ClientBase | Pool): db is Pool => 'totalCount' in db

/**
 * Passes when the schema is exactly the one this code was written for.
 * @throws SchemaVersionError otherwise
 */
export const assertSchemaCurrent = async (db: ClientBase | Pool, options: MigrationOptions = {}): Promise<void> => {
  const { current, latest, pending } = await schemaStatus(db, options)
  if (pending.length === 0) return
  throw new SchemaVersionError(
    current === 0
      ? 'The database has no commandbus schema yet: run `commandbus migrate`.'
      : `The database schema is at version ${current}, this commandbus needs ${latest}: run \`commandbus migrate\`.`,
    current,
    latest,
  )
}
