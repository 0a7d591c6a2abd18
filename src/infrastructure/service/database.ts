import type { Pool } from 'pg'
import { defined } from '../../application/shared/input.ts'
import { startEmbedded } from '../postgres/embedded/index.ts'
import { migrate } from '../postgres/schema/migrate.ts'
import { schemaStatus } from '../postgres/schema/schema-version.ts'
import { createPool } from '../postgres/transactions/pool.ts'
import type { Config } from '../settings/config.ts'

export interface Database {
  readonly url: string
  /** How long a statement may take, in milliseconds; undefined: the default. */
  readonly timeoutMs: number | undefined
  readonly kind: 'embedded' | 'given'
  /** Releases the embedded server; the last release stops it. */
  readonly release: () => Promise<void>
}

export interface OpenOptions {
  /** Called with progress for the user, line by line. */
  readonly log?: (line: string) => void
  /** Restarts the embedded server when it dies. */
  readonly supervise?: boolean
}

/**
 * The user's database, unchanged; or the embedded one of the home, started if necessary and migrated to this version's schema.
 */
export const openDatabase = async (config: Config, { log, supervise }: OpenOptions = {}): Promise<Database> => {
  const { databaseUrl, databaseTimeoutMs: timeoutMs } = config
  if (databaseUrl !== undefined) return { url: databaseUrl, timeoutMs, kind: 'given', release: async () => {} }
  const server = await startEmbedded({ home: config.home, ...defined({ log, supervise }) })
  try {
    await withPool({ url: server.url, timeoutMs }, async pool => {
      if ((await schemaStatus(pool)).pending.length > 0) await migrate(pool)
    })
  } catch (error) {
    await server.release()
    throw error
  }
  return { url: server.url, timeoutMs, kind: 'embedded', release: server.release }
}

/** A few connections for as long as `body` runs. */
export const withPool = async <A>(
  { url, timeoutMs }: Pick<Database, 'url' | 'timeoutMs'>,
  body: (pool: Pool) => Promise<A>,
): Promise<A> => {
  const pool = createPool(url, 2, timeoutMs)
  try {
    return await body(pool)
  } finally {
    await pool.end()
  }
}
