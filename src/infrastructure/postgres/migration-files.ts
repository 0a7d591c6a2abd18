import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandBusError } from '../../application/errors.ts'

/** One numbered SQL file. */
export interface Migration {
  readonly version: number
  readonly name: string
  /** SHA-256 of the text with line ends as `\n`, in hex. */
  readonly checksum: string
  readonly sql: string
}

/** Raised when migrations cannot be read or applied; `message` says which and what to do. */
export class MigrationError extends CommandBusError {
  override readonly name = 'MigrationError'
  constructor(message: string, options?: ErrorOptions) {
    super('MIGRATION_FAILED', message, options)
  }
}

/** The package's own `migrations/`, as far from `src/` as from `dist/`. */
export const migrationsDirectory = fileURLToPath(new URL('../../../migrations/', import.meta.url))

const parse = async (directory: string, file: string): Promise<Migration> => {
  const [, digits, name] = /^(\d{4})_([a-z0-9][a-z0-9_-]*)\.sql$/.exec(file) ?? []
  if (digits === undefined || name === undefined)
    throw new MigrationError(`${join(directory, file)} is not named like 0001_some_name.sql: rename it.`)
  const sql = (await readFile(join(directory, file), 'utf8')).replaceAll('\r\n', '\n')
  return { version: Number(digits), name, checksum: createHash('sha256').update(sql).digest('hex'), sql }
}

/** All migrations in order; their numbers run from 1 without a gap. */
export const readMigrations = async (directory: string): Promise<readonly Migration[]> => {
  const files = await readdir(directory).catch(error => {
    throw new MigrationError(`The migrations in ${directory} cannot be read: reinstall commandbus.`, { cause: error })
  })
  const migrations = await Promise.all(
    files
      .filter(file => file.endsWith('.sql'))
      .sort()
      .map(file => parse(directory, file)),
  )
  migrations.forEach(({ version }, index) => {
    if (version !== index + 1)
      throw new MigrationError(
        `The migrations in ${directory} do not count up from 0001 one by one: found ${version} in place of ${index + 1}.`,
      )
  })
  return migrations
}
