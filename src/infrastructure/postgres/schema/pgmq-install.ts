import type { ClientBase } from 'pg'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { underLock } from '../transactions/under-lock.ts'
import { readPgmqSql } from './pgmq-files.ts'

/** How a database came to have pgmq: as a PostgreSQL extension, or as plain SQL in the schema `pgmq`. */
export interface PgmqInstall {
  /** For example `1.11.1`; `unknown` when pgmq's SQL was installed by hand. */
  readonly version: string
  readonly how: 'extension' | 'sql'
}

/** Raised when a database has no pgmq and none may be installed; `message` says what to do. */
export class PgmqMissingError extends CommandBusError {
  override readonly name = 'PgmqMissingError'
  constructor(message: string, options?: ErrorOptions) {
    super('PGMQ_MISSING', message, options)
  }
}

const MARKER = 'pgmq installed from SQL by commandbus, version '
/** One installer at a time; those that waited find what the first one made. */
const LOCK_KEY = 'commandbus:pgmq'

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

/** How the database has pgmq; undefined when it has none. Reads only. */
export const findPgmq = async (client: ClientBase): Promise<PgmqInstall | undefined> => {
  const { rows } = await client.query<{ extension: string | null; remark: string | null; works: boolean }>(
    `select (select extversion from pg_extension where extname = 'pgmq') as extension,
            (select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'pgmq') as remark,
            exists (select from pg_proc where proname = 'send_batch' and pronamespace = to_regnamespace('pgmq')) as works`,
  )
  const { extension = null, remark = null, works = false } = rows[0] ?? {}
  if (extension !== null) return { version: extension, how: 'extension' }
  if (!works) return undefined
  return { version: remark?.startsWith(MARKER) ? remark.slice(MARKER.length) : 'unknown', how: 'sql' }
}

/** Creates the extension, or gives the reason as text when it cannot be created (no rights, damaged files). */
const createExtension = async (client: ClientBase): Promise<PgmqInstall | string> => {
  try {
    return await underLock(client, LOCK_KEY, async () => {
      await client.query('create extension if not exists pgmq')
      return (await findPgmq(client)) ?? 'CREATE EXTENSION pgmq had no effect'
    })
  } catch (error) {
    if (codeOf(error) === '25006') throw readOnly(error)
    return error instanceof Error ? error.message : String(error)
  }
}

const readOnly = (cause: unknown): PgmqMissingError =>
  new PgmqMissingError('The database is read-only, so pgmq cannot be installed: connect to its primary server.', {
    cause,
  })

const installFromSql = async (client: ClientBase): Promise<PgmqInstall> => {
  const { version, sql } = await readPgmqSql()
  try {
    return await underLock(client, LOCK_KEY, async () => {
      const found = await findPgmq(client)
      if (found !== undefined) return found
      await client.query('create schema if not exists pgmq')
      await client.query(sql)
      await client.query(`comment on schema pgmq is '${MARKER}${version.replaceAll("'", "''")}'`)
      return { version, how: 'sql' as const }
    })
  } catch (error) {
    if (codeOf(error) === '25006') throw readOnly(error)
    throw new PgmqMissingError(
      `pgmq's SQL could not be installed (${error instanceof Error ? error.message : String(error)}): ` +
        'use a role that owns the database, or ask its administrator to install the pgmq extension.',
      { cause: error },
    )
  }
}

/**
 * Makes sure that the database has pgmq: uses an existing one, else creates the extension where the server offers it, else,
 * with `installSql`, installs pgmq's SQL without an extension. Safe to call concurrently and repeatedly.
 * @param client a connection outside any transaction
 * @throws PgmqMissingError when there is no pgmq and it cannot be installed; nothing is left half installed
 */
export const ensurePgmq = async (
  client: ClientBase,
  { installSql = false }: { readonly installSql?: boolean } = {},
): Promise<PgmqInstall> => {
  const found = await findPgmq(client)
  if (found !== undefined) return found
  const { rowCount } = await client.query(`select from pg_available_extensions where name = 'pgmq'`)
  const created = rowCount === 0 ? 'the server has no pgmq extension' : await createExtension(client)
  if (typeof created !== 'string') return created
  if (installSql) return installFromSql(client)
  throw new PgmqMissingError(
    `The database has no pgmq (${created}): install the pgmq extension (https://github.com/pgmq/pgmq) and run ` +
      'CREATE EXTENSION pgmq, or run `commandbus migrate --install-pgmq`, which needs no extension.',
  )
}
