import { setTimeout as delay } from 'node:timers/promises'
import pg, { type ClientBase, type Pool } from 'pg'
import { databaseOn, isPool, sessionOn, unhurried } from '../connection/database.ts'
import { isRefusal, isRefusedLock } from '../connection/errors.ts'
import { rawClient } from '../connection/facade.ts'
import { underLock } from '../transactions/under-lock.ts'
import { withUnhurriedClient } from '../transactions/unhurried.ts'
import { buildIndex } from './build-index.ts'
import { type Migration, ownMigrations, readMigrations } from './migration-files.ts'
import { chooseSchema, pinFunctions } from './schema.ts'
import { compare, MIGRATION_LOCK, MigrationError, readApplied } from './schema-version.ts'

export interface MigrateOptions {
  /** Directory of the `NNNN_name.sql` files; default the package's own. */
  readonly directory?: string
  /** Stop after this version; default the latest. Versions beyond it that are applied already stay. */
  readonly target?: number
  /**
   * The schema for the tables, which is created if it does not exist. Default: the schema where they are, else the first one
   * of the search path. A database holds one installation.
   */
  readonly schema?: string
  /** Called before each file that is applied. */
  readonly onApply?: (migration: Migration) => void
}

/**
 * Behind a migration that waits for a table all others wait for that table: after so long it lets them go on for a while, and tries
 * again. Longer than the second after which autovacuum gives way.
 */
const LOCK_MS = 1_500

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const lineOf = (sql: string, error: unknown): string => {
  const position = error instanceof pg.DatabaseError ? Number(error.position) : Number.NaN
  return position > 0 ? ` in line ${sql.slice(0, position).split('\n').length}` : ''
}

/** To ask costs no lock of the table, as `create index if not exists` does. */
const hasIndex = async (client: ClientBase, builds: string): Promise<boolean> => {
  const { rows } = await client.query('select to_regclass($1::text) is not null as there', [builds.split(' ')[0]])
  return rows[0].there
}

/** False if another migrator was faster. */
const apply = async (
  client: ClientBase,
  schema: string,
  migration: Migration,
  onApply: (migration: Migration) => void,
): Promise<boolean> => {
  const { version, name, checksum, needs, builds, sql } = migration
  let isTold = false
  const body = async (): Promise<boolean> => {
    const { rowCount } = await client.query(`select from "${schema}".command_bus_migration where version = $1::int`, [
      version,
    ])
    if (rowCount !== 0) return false
    if (!isTold) onApply(migration)
    isTold = true
    await client.query(`set local search_path = "${schema}"; set local standard_conforming_strings = on;
      set local lock_timeout = ${LOCK_MS}`)
    if (builds !== null && !(await hasIndex(client, builds))) await client.query(`create index ${builds}`)
    await client.query(sql)
    await pinFunctions(client, schema)
    await client.query(
      'insert into command_bus_migration (version, name, checksum, needs) values ($1::int, $2, $3, $4::int)',
      [version, name, checksum, needs],
    )
    return true
  }
  if (builds !== null) {
    await buildIndex(client, schema, builds).catch(error => {
      throw new MigrationError(
        `Migration ${version} (${name}) could not build its index: ${messageOf(error)}; migrate again, which also removes what is left of it.`,
        { cause: error },
      )
    })
  }
  try {
    for (;;) {
      try {
        return await underLock(client, MIGRATION_LOCK, body)
      } catch (error) {
        if (!isRefusedLock(error)) throw error
        await delay(LOCK_MS)
      }
    }
  } catch (error) {
    throw new MigrationError(
      `Migration ${version} (${name}) failed${lineOf(sql, error)} and changed nothing: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

const createTable = (schema: string): string => `create table if not exists "${schema}".command_bus_migration (
  version int primary key,
  name text not null,
  checksum text not null,
  needs int not null,
  applied_at timestamptz not null default now()
)`

const explainRefusal = (error: unknown): never => {
  const code = error instanceof pg.DatabaseError ? error.code : undefined
  if (code === '25006')
    throw new MigrationError('The database is read-only: connect to its primary server to migrate.', { cause: error })
  if (isRefusal(error))
    throw new MigrationError('This role may not create tables: migrate as the owner of the database.', { cause: error })
  throw error
}

const migrateOn = async (client: ClientBase, options: MigrateOptions): Promise<readonly Migration[]> => {
  const { directory, onApply = () => undefined } = options
  const known = directory === undefined ? await ownMigrations() : await readMigrations(directory)
  const { target = known.length } = options
  if (!Number.isInteger(target) || target < 0 || target > known.length)
    throw new MigrationError(`There is no schema version ${target}: choose one from 0 to ${known.length}.`)
  // the files name the bus's tables without a schema
  const plain = rawClient(client)
  const { wanted, schema } = await underLock(client, MIGRATION_LOCK, async () => {
    const { current } = compare(await readApplied(client), known)
    const wanted = known.slice(current, target)
    const schema = await chooseSchema(client, options.schema).catch(explainRefusal)
    if (wanted.length > 0) await plain.query(createTable(schema)).catch(explainRefusal)
    return { wanted, schema }
  })
  const applied: Migration[] = []
  for (const migration of wanted) if (await apply(plain, schema, migration, onApply)) applied.push(migration)
  return applied
}

/**
 * Applies the migrations that the database lacks, each in its own transaction, one migrator at a time. Returns those it
 * applied.
 * @param db a pool, or a connection outside any transaction
 * @throws SchemaVersionError for a database with which this code does not work, as it is too old
 * @throws MigrationError for a failed, changed or misnamed file; earlier files stay applied
 */
export const migrate = async (db: ClientBase | Pool, options: MigrateOptions = {}): Promise<readonly Migration[]> => {
  const on = (client: ClientBase) => migrateOn(client, options)
  return isPool(db) ? withUnhurriedClient(databaseOn(db), on) : on(unhurried(sessionOn(db)))
}
