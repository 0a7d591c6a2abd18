import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import pg from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
  readonly url: string
  /** Up to 20 connections. */
  readonly pool: pg.Pool
  /** Ends the pool, and whatever else is connected, and drops the database. May be called more than once. */
  drop(): Promise<void>
}

const onServer = async (sql: string): Promise<void> => {
  const client = new pg.Client(inject('serverUrl'))
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const open = (name: string): TestDatabase => {
  const url = new URL(inject('serverUrl'))
  url.pathname = `/${name}`
  const pool = new pg.Pool({ connectionString: url.href, max: 20 })
  // Connections that a test cuts, or the drop ends, are no failures of their own.
  pool.on('error', () => undefined)
  let dropped: Promise<void> | undefined
  const drop = () => {
    // A pool waits for connections that are checked out; the forced drop cuts them, so nobody has to wait for it.
    if (dropped === undefined && !pool.ending) pool.end().catch(() => undefined)
    dropped ??= onServer(`drop database if exists ${name} with (force)`)
    return dropped
  }
  return { url: url.href, pool, drop }
}

const newName = (): string => `commandbus_test_${process.pid}_${randomBytes(6).toString('hex')}`

/** A fresh database with pgmq and the current schema; other tests, in this worker or another, see nothing of it. */
export const createTestDatabase = async (): Promise<TestDatabase> => {
  const name = newName()
  await onServer(`create database ${name} template ${inject('templateDatabase')}`)
  return open(name)
}

/** A fresh database without pgmq and without a schema. */
export const createEmptyDatabase = async (): Promise<TestDatabase> => {
  const name = newName()
  await onServer(`create database ${name} template template0`)
  return open(name)
}

/**
 * A pool as a program of the user's has it: nobody hears its errors. It ends with its connections; pg's says so before they
 * are closed, and a drop in between would be an error that nobody hears.
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
