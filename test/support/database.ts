import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import pg from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
  readonly url: string
  /** Up to 20 connections. */
  readonly pool: pg.Pool
  /** Ends the pool and all other connections, and drops the database. May be called more than once. */
  drop(): Promise<void>
}

const server = new pg.Pool({ connectionString: inject('serverUrl'), idleTimeoutMillis: 2_000, allowExitOnIdle: true })
server.on('error', () => undefined)

/** Making and dropping a database ask for a checkpoint. Where that fails on the busy server, nothing was made or dropped: it is asked again. */
const onServer = async (sql: string, tries = 3): Promise<void> => {
  try {
    await server.query(sql)
  } catch (error) {
    if (tries === 1 || !/checkpoint request failed/.test(String(error))) throw error
    await onServer(sql, tries - 1)
  }
}

const open = (name: string): TestDatabase => {
  const url = new URL(inject('serverUrl'))
  url.pathname = `/${name}`
  const pool = new pg.Pool({ connectionString: url.href, max: 20 })
  // A connection that a test cuts, or that the drop ends, is not a failure.
  pool.on('error', () => undefined)
  let dropped: Promise<void> | undefined
  const drop = () => {
    // A pool waits for connections that are checked out. The forced drop cuts them, so there is no need to wait.
    if (dropped === undefined && !pool.ending) pool.end().catch(() => undefined)
    dropped ??= onServer(`drop database if exists ${name} with (force)`)
    return dropped
  }
  return { url: url.href, pool, drop }
}

/** A condition on `pg_locks`: other tests' databases on the same server have tables of the same ids. */
export const OF_THIS_DATABASE = 'database = (select oid from pg_database where datname = current_database())'

const newName = (): string => `commandbus_test_${process.pid}_${randomBytes(6).toString('hex')}`

/** A fresh database with pgmq and the current schema, which no other test uses. */
export const createTestDatabase = async (): Promise<TestDatabase> => {
  const name = newName()
  // files are copied faster than their pages are logged, and nothing of a test database has to survive the machine
  await onServer(`create database ${name} template ${inject('templateDatabase')} strategy file_copy`)
  return open(name)
}

/** A fresh database without pgmq and without a schema. */
export const createEmptyDatabase = async (): Promise<TestDatabase> => {
  const name = newName()
  await onServer(`create database ${name} template template0 strategy file_copy`)
  return open(name)
}

/**
 * A pool as in a user's program, without a listener for its errors. Its end waits until its connections are closed; that of
 * pg's pool does not, and a drop in between would be an error without a listener.
 */
export const usersPool = (config: pg.PoolConfig): pg.Pool => {
  const pool = new pg.Pool(config)
  let open = 0
  pool.on('connect', () => open++)
  pool.on('remove', () => open--)
  const end = pool.end.bind(pool) as () => Promise<void>
  return Object.assign(pool, {
    end: async () => {
      await end()
      while (open > 0) await once(pool, 'remove')
    },
  })
}
