import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownFile } from '../../shared/package-root.ts'
import { type KnownMigration, knownMigrations } from './known-migrations.ts'
import { MigrationError } from './schema-version.ts'

/** One numbered SQL file. */
export interface Migration extends KnownMigration {
  /**
   * Code that knows fewer versions does not work after this one: the file has a line `-- needs: 21`. 0 without it, as nearly always:
   * a migration leaves the code of the last release working.
   */
  readonly needs: number
  /** An index that is built first, as its table may be large: a line `-- builds: name on table (columns)`. */
  readonly builds: string | null
  readonly sql: string
}

/** The package's `migrations/`. */
export const migrationsDirectory = (): string => ownFile('migrations')

const parse = async (directory: string, file: string): Promise<Migration> => {
  const [, digits, name] = /^(\d{4})_([a-z0-9][a-z0-9_-]*)\.sql$/.exec(file) ?? []
  if (digits === undefined || name === undefined)
    throw new MigrationError(`${join(directory, file)} is not named like 0001_some_name.sql: rename it.`)
  const sql = (await readFile(join(directory, file), 'utf8')).replaceAll('\r\n', '\n')
  const needs = Number(/^-- needs: (\d+)$/m.exec(sql)?.[1] ?? 0)
  const builds = /^-- builds: (\w+ on \w+ .+)$/m.exec(sql)?.[1] ?? null
  return { version: Number(digits), name, checksum: createHash('sha256').update(sql).digest('hex'), needs, builds, sql }
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

/**
 * Reads the package's own migrations and checks that they are those of this version: copied or bundled code may find the
 * folder of another package.
 * @throws MigrationError
 */
export const ownMigrations = async (): Promise<readonly Migration[]> => {
  const migrations = await readMigrations(migrationsDirectory())
  const differs = Array.from({ length: Math.max(migrations.length, knownMigrations.length) }, (_, i) => i).find(
    i => migrations[i]?.checksum !== knownMigrations[i]?.checksum,
  )
  if (differs === undefined) return migrations
  throw new MigrationError(
    `The files in ${migrationsDirectory()} are not the migrations of this version (${differs + 1} differs): reinstall ` +
      'commandbus, or run `npm run generate:migrations` where you changed one of them.',
  )
}
