import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { loadEmbedded, loadMigrations, loadPgmq } from './build.ts'

type Server = { readonly url: string; readonly release: () => Promise<void> }

/** A database of the benchmark's own; `release` removes it. */
export type Database = Server & {
  /** What the figures were measured on. */
  readonly about: string
  /** Makes one more on the same server, and gives its URL; it is removed with this one. */
  readonly addDatabase: () => Promise<string>
}

/** The settings that the targets are stated for. */
const settings = { fsync: 'on', synchronous_commit: 'on', shared_buffers: '256MB' } as const

const name = `commandbus_bench_${process.pid}`

type Settings = Readonly<Record<string, string>>

/** The embedded server in a home of its own, with the settings above and `others`. */
const embeddedServer = async (others: Settings): Promise<Server> => {
  const { startEmbedded, removeEmbedded } = await loadEmbedded()
  const home = join(tmpdir(), name)
  const server = await startEmbedded({ home, settings: { ...settings, ...others } })
  return { url: server.url, release: () => server.release().finally(() => removeEmbedded(home)) }
}

const openServer = (others: Settings): Promise<Server> => {
  const url = process.env.DATABASE_URL
  return url === undefined || url === '' ? embeddedServer(others) : Promise.resolve({ url, release: async () => {} })
}

export const query = async <Result>(url: string, run: (client: pg.Client) => Promise<Result>): Promise<Result> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end()
  }
}

/** Migrates and says, in one line, what the server is. */
const prepare = async (client: pg.Client): Promise<string> => {
  const { ensurePgmq } = await loadPgmq()
  const { migrate } = await loadMigrations()
  const pgmq = await ensurePgmq(client, { installSql: true })
  await migrate(client)
  const { rows } = await client.query<{ name: string; setting: string }>(
    `select name, current_setting(name) as setting from unnest($1::text[]) name`,
    [['server_version', ...Object.keys(settings)]],
  )
  const [version, ...others] = rows.map(({ name, setting }) =>
    name === 'server_version' ? setting : `${name} ${setting}`,
  )
  return [`PostgreSQL ${version}`, `pgmq ${pgmq.version} (${pgmq.how})`, ...others].join(', ')
}

/** A new database with pgmq and the schema, on the server of DATABASE_URL, else on an embedded one with these settings. */
export const openDatabase = async (others: Settings = {}): Promise<Database> => {
  const server = await openServer(others)
  const made: string[] = []
  const onServer = (sql: string) => query(server.url, client => client.query(sql))
  const make = async () => {
    const database = made.length === 0 ? name : `${name}_${made.length}`
    made.push(database)
    await onServer(`create database ${database}`)
    const url = new URL(server.url)
    url.pathname = `/${database}`
    return { url: url.href, about: await query(url.href, prepare) }
  }
  const drop = async () => {
    for (const database of made) await onServer(`drop database if exists ${database} with (force)`)
  }
  const release = () => drop().then(server.release, server.release)
  try {
    return { ...(await make()), addDatabase: async () => (await make()).url, release }
  } catch (error) {
    await release()
    throw error
  }
}

/** Every measurement begins with fresh statistics and no dirty pages, whichever contender had its turn before. */
export const settle = (url: string): Promise<void> =>
  query(url, async client => {
    await client.query('analyze')
    await client.query('checkpoint').catch((error: { readonly code?: string }) => {
      if (error.code !== '42501') throw error
    })
  })
