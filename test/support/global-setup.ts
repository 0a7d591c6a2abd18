import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { ensurePgmq } from '../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { compilePackage } from './servers/compiled.ts'
import { startTestServer } from './servers/server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the server's maintenance database. */
    serverUrl: string
    /** Name of the database, with pgmq and all migrations, that test databases are copies of. */
    templateDatabase: string
    /** Where the buses of tests have their log; vitest.config.ts runs some test files with each store. */
    logStore: 'postgresql' | 'eventstoredb'
  }
}

const withClient = async <A>(url: string, body: (client: pg.Client) => Promise<A>): Promise<A> => {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await body(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Starts (or finds) the server and makes the template; the returned function removes them. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const compiling = compilePackage()
  // the code that awaits it gets its error
  compiling.catch(() => undefined)
  const server = await startTestServer()
  const template = `commandbus_template_${process.pid}_${randomBytes(4).toString('hex')}`
  try {
    await withClient(server.url, client => client.query(`create database ${template}`))
    const templateUrl = new URL(server.url)
    templateUrl.pathname = `/${template}`
    await withClient(templateUrl.href, async client => {
      await ensurePgmq(client, { installSql: true })
      await migrate(client)
    })
    // Several workers may copy the template at once, as long as there is no connection to it.
    await withClient(server.url, client => client.query(`alter database ${template} allow_connections false`))
    const compiled = await compiling
    project.provide('compiledPackage', compiled.directory)
    project.onTestsRerun(compiled.compile)
  } catch (error) {
    await compiling.then(compiled => compiled.remove()).catch(() => undefined)
    await server.stop()
    throw error
  }
  project.provide('serverUrl', server.url)
  project.provide('templateDatabase', template)
  return async () => {
    if (server.kind === 'TEST_DATABASE_URL')
      await withClient(server.url, client => client.query(`drop database if exists ${template} with (force)`))
    await server.stop()
    await (await compiling).remove()
  }
}
