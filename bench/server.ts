import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { loadEmbedded, loadMigrations } from './build.ts'

/** A database of the benchmark's own; `release` removes it. */
export type Database = { readonly url: string; readonly release: () => Promise<void> }

/** The settings that the targets are stated for. */
const settings = { fsync: 'on', synchronous_commit: 'on', shared_buffers: '256MB' } as const

const name = `commandbus_bench_${process.pid}`

/** The embedded server in a home of its own, with the settings above. */
const embeddedServer = async (): Promise<Database> => {
  const { startEmbedded, removeEmbedded } = await loadEmbedded()
  const home = join(tmpdir(), name)
  const server = await startEmbedded({ home, settings })
  return { url: server.url, release: () => server.release().finally(() => removeEmbedded(home)) }
}

const openServer = (): Promise<Database> => {
  const url = process.env.DATABASE_URL
  return url === undefined || url === '' ? embeddedServer() : Promise.resolve({ url, release: async () => {} })
}

const query = async <Result>(url: string, run: (client: pg.Client) => Promise<Result>): Promise<Result> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end()
  }
}

/** A new database with pgmq and the schema, on the server of DATABASE_URL, else on an embedded one. */
export const openDatabase = async (): Promise<Database> => {
  const server = await openServer()
  try {
    await query(server.url, client => client.query(`create database ${name}`))
    const url = new URL(server.url)
    url.pathname = `/${name}`
    const { migrate } = await loadMigrations()
    await query(url.href, async client => {
      await client.query('create extension pgmq')
      await migrate(client)
    })
    const drop = () => query(server.url, client => client.query(`drop database ${name} with (force)`))
    return {
      url: url.href,
      release: () =>
        drop()
          .then(() => {})
          .finally(server.release),
    }
  } catch (error) {
    await server.release()
    throw error
  }
}

/** One line that says what the figures were measured on. */
export const describeServer = (url: string): Promise<string> =>
  query(url, async client => {
    const versions = `select current_setting('server_version') as server, extversion as pgmq from pg_extension where extname = 'pgmq'`
    const { rows } = await client.query<{ server: string; pgmq: string }>(versions)
    const line = [`PostgreSQL ${rows[0]?.server}`, `pgmq ${rows[0]?.pgmq}`]
    for (const setting of Object.keys(settings)) {
      const shown = await client.query<{ value: string }>('select current_setting($1) as value', [setting])
      line.push(`${setting} ${shown.rows[0]?.value}`)
    }
    return line.join(', ')
  })

/** Every measurement begins with fresh statistics and no dirty pages, whichever contender had its turn before. */
export const settle = (url: string): Promise<void> =>
  query(url, async client => {
    await client.query('analyze')
    await client.query('checkpoint').catch((error: { readonly code?: string }) => {
      if (error.code !== '42501') throw error
    })
  })
