import pg from 'pg'
import { codeOf, EmbeddedServerError } from './error.ts'
import type { Layout } from './layout.ts'

export const DATABASE = 'commandbus'
export const OWNER = 'commandbus'

/** How to reach a server on the loopback interface. */
export interface Address {
  readonly port: number
  readonly password: string
}

export const urlOf = ({ port, password }: Address): string =>
  `postgres://${OWNER}:${password}@127.0.0.1:${port}/${DATABASE}`

/** Runs `body` with a connection to one database of the server, independent of the caller's PG* variables. */
export const withClient = async <A>(
  { port, password }: Address,
  database: string,
  body: (client: pg.Client) => Promise<A>,
): Promise<A> => {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: OWNER,
    password,
    database,
    ssl: false,
    options: '',
    connectionTimeoutMillis: 5_000,
    application_name: 'commandbus embedded',
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await body(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const NOT_YET = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', '57P03', '57P01', '57P02', '08006'])

/** True when the server of this layout answers at the address, false when it is not (yet) ready. */
export const answers = async (address: Address, layout: Layout): Promise<boolean> => {
  try {
    return await withClient(address, 'postgres', async client => {
      const { rows } = await client.query<{ directory: string }>(
        `select current_setting('data_directory') as directory`,
      )
      return rows[0]?.directory === layout.dataDir
    })
  } catch (error) {
    if (codeOf(error) === '28P01')
      throw new EmbeddedServerError(
        'PERMISSION',
        `The embedded database of ${layout.home} refuses the password in ${layout.home}/postgres.password: ` +
          'restore that file, or move the directory away to start with an empty database.',
        { cause: error },
      )
    if (NOT_YET.has(codeOf(error) ?? '') || (error instanceof Error && /timeout|terminated/i.test(error.message)))
      return false
    throw error
  }
}

/** Makes the database and the pgmq extension when they are missing, and brings pgmq up to the installed files' version. */
export const ensureDatabase = async (address: Address): Promise<void> => {
  await withClient(address, 'postgres', async client => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`create database ${DATABASE}`)
  })
  await withClient(address, DATABASE, async client => {
    await client.query('create extension if not exists pgmq')
    const { rows } = await client.query<{ behind: boolean }>(
      `select installed_version <> default_version as behind from pg_available_extensions where name = 'pgmq'`,
    )
    if (rows[0]?.behind === true) await client.query('alter extension pgmq update')
  })
}
