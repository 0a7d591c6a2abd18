import type { ClientBase, Pool } from 'pg'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { onDatabase } from '../connection/database.ts'
import { type KnownMigration, knownMigrations } from './known-migrations.ts'

/** The key of the lock under which each migration is applied. */
export const MIGRATION_LOCK = 'commandbus:migrate'

/** Raised when migrations cannot be read or applied; `message` says which and what to do. */
export class MigrationError extends CommandBusError {
  override readonly name = 'MigrationError'
  constructor(message: string, options?: ErrorOptions) {
    super('MIGRATION_FAILED', message, options)
  }
}

/** Raised when the schema's version does not fit this code; `message` says whether to migrate or to upgrade. */
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

export interface SchemaStatus {
  readonly current: number
  readonly latest: number
  /** Known migrations that are not applied yet, in order. */
  readonly pending: readonly KnownMigration[]
}

interface Applied {
  readonly version: number
  readonly name: string
  readonly checksum: string
  /** Code that knows fewer versions than this does not work after it; 0: all released code does. */
  readonly needs: number
}

export const readApplied = async (client: ClientBase | Pool): Promise<readonly Applied[]> => {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('command_bus_migration') is not null as there`,
  )
  if (rows[0]?.there !== true) return []
  return (
    await client.query<Applied>('select version, name, checksum, needs from command_bus_migration order by version')
  ).rows
}

/**
 * Later migrations than those known do no harm, unless one of them says so: in a rolling upgrade, processes of both versions work.
 * @throws SchemaVersionError, MigrationError when the database has other migrations than those known
 */
export const compare = (applied: readonly Applied[], known: readonly KnownMigration[]): SchemaStatus => {
  const current = applied.at(-1)?.version ?? 0
  const latest = known.at(-1)?.version ?? 0
  if (applied.some(({ needs }) => needs > latest))
    throw new SchemaVersionError(
      `The database schema is at version ${current}, this commandbus knows up to ${latest}: upgrade commandbus.`,
      current,
      latest,
    )
  for (const { version, name, checksum } of applied.slice(0, latest))
    if (known[version - 1]?.checksum !== checksum)
      throw new MigrationError(
        `Migration ${version} (${name}) was changed after it was applied to this database: ` +
          'restore the file as it was released, and put changes into a new migration.',
      )
  return { current, latest, pending: known.slice(current) }
}

/**
 * Returns the versions of the database and of this code. Reads only.
 * @throws SchemaVersionError, MigrationError as `migrate` does
 */
export const schemaStatus = async (db: ClientBase | Pool, known = knownMigrations): Promise<SchemaStatus> =>
  compare(await readApplied(onDatabase(db)), known)

/**
 * Checks that the schema is the one this code was written for, or a later one with which it works, too.
 * @throws SchemaVersionError otherwise
 */
export const assertSchemaCurrent = async (db: ClientBase | Pool, known = knownMigrations): Promise<void> => {
  const { current, latest, pending } = await schemaStatus(db, known)
  if (pending.length === 0) return
  throw new SchemaVersionError(
    current === 0
      ? 'The database has no commandbus schema yet: run `commandbus migrate`.'
      : `The database schema is at version ${current}, this commandbus needs ${latest}: run \`commandbus migrate\`.`,
    current,
    latest,
  )
}
