import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { ensurePgmq } from '../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { createEmptyDatabase, type TestDatabase } from './database.ts'

/** A database where an administrator has installed pgmq, and login roles without any other right on the server. */
export interface RolesDatabase {
  /** The administrator's connection. */
  readonly database: TestDatabase
  /** The real name of a role: each database has its own roles. */
  readonly nameOf: (role: string) => string
  readonly urlOf: (role: string) => string
  readonly drop: () => Promise<void>
}

const PASSWORD = 'of a test'

/** The first role may create objects in the database; none of them has a right in pgmq. */
export const createRolesDatabase = async ([owner, ...others]: readonly [
  string,
  ...string[],
]): Promise<RolesDatabase> => {
  const database = await createEmptyDatabase()
  const mark = randomBytes(4).toString('hex')
  // names that have to be quoted
  const nameOf = (role: string): string => `Test ${role} ${mark}`
  const named = (role: string): string => pg.escapeIdentifier(nameOf(role))
  const url = new URL(database.url)
  await database.pool.connect().then(async client => {
    await ensurePgmq(client, { installSql: true })
    client.release()
  })
  for (const role of [owner, ...others]) {
    await database.pool.query(`create role ${named(role)} login nosuperuser password '${PASSWORD}'`)
  }
  await database.pool.query(`alter database ${url.pathname.slice(1)} owner to ${named(owner)}`)
  return {
    database,
    nameOf,
    urlOf: role => {
      const of = new URL(database.url)
      of.username = encodeURIComponent(nameOf(role))
      of.password = encodeURIComponent(PASSWORD)
      return of.href
    },
    drop: async () => {
      await database.drop()
      const admin = new pg.Client(inject('serverUrl'))
      await admin.connect()
      for (const role of [...others, owner]) await admin.query(`drop role if exists ${named(role)}`)
      await admin.end()
    },
  }
}
