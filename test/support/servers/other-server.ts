import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { removeEmbedded, startEmbedded } from '../../../src/infrastructure/postgres/embedded/index.ts'
import { migrate } from '../../../src/infrastructure/postgres/schema/migrate.ts'
import { ensurePgmq } from '../../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { dataDirectory } from './data-directory.ts'

/** A second server beside that of the tests, with its own transaction ids. */
export interface OtherServer {
  /** Makes a database with pgmq and the current schema, or a copy of `template`, which must have no connections. */
  readonly database: (template?: string) => Promise<OtherDatabase>
  /** Ends all connections and removes the server. */
  readonly stop: () => Promise<void>
}

export interface OtherDatabase {
  readonly name: string
  readonly url: string
  readonly pool: pg.Pool
}

export const startOtherServer = async (): Promise<OtherServer> => {
  // named like the tests' server, whose start removes what killed runs have left behind
  const home = join(dataDirectory(), `commandbus-test-${process.pid}-${randomBytes(6).toString('hex')}`)
  const server = await startEmbedded({ home, settings: { fsync: 'off', full_page_writes: 'off' } })
  const pools: pg.Pool[] = []
  const open = (url: string): pg.Pool => {
    const pool = new pg.Pool({ connectionString: url, max: 10 })
    pool.on('error', () => undefined)
    pool.on('connect', client => client.on('error', () => undefined))
    pools.push(pool)
    return pool
  }
  const root = open(server.url)
  return {
    database: async template => {
      const name = `other_${randomBytes(6).toString('hex')}`
      await root.query(`create database ${name} template ${template ?? 'template0'}`)
      const url = new URL(server.url)
      url.pathname = `/${name}`
      const pool = open(url.href)
      if (template === undefined) {
        const client = await pool.connect()
        await ensurePgmq(client, { installSql: true })
        await migrate(client)
        client.release()
      }
      return { name, url: url.href, pool }
    },
    stop: async () => {
      // a failed test may have left connections checked out: the server's end cuts them
      for (const pool of pools) if (!pool.ending) pool.end().catch(() => undefined)
      await server.release()
      await removeEmbedded(home)
    },
  }
}

/**
 * Does what `pg_dump` and `pg_restore` do, for a server whose programs do not include them: copies every queue, every row
 * of every table unchanged, transaction ids included, and every sequence's value. `to` has the schema.
 */
export const dumpAndRestore = async (from: pg.Pool, to: pg.Pool): Promise<void> => {
  const client = await to.connect()
  try {
    for (const { queue_name } of (await from.query('select queue_name from pgmq.list_queues()')).rows) {
      await client.query('select pgmq.create($1)', [queue_name])
    }
    await client.query('begin')
    await client.query('set local session_replication_role = replica')
    const { rows: tables } = await from.query(
      `select a.attrelid::regclass as name, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
       from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'pgmq'::regnamespace)
         and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       group by 1`,
    )
    await client.query(`truncate ${tables.map(({ name }) => name).join(', ')}`)
    for (const { name, columns } of tables) {
      const { rows } = await from.query(`select coalesce(json_agg(t), '[]')::text as rows from ${name} t`)
      await client.query(
        `insert into ${name} (${columns}) overriding system value
         select ${columns} from json_populate_recordset(null::${name}, $1::json)`,
        [rows[0].rows],
      )
    }
    const { rows: sequences } = await from.query(
      `select format('%I.%I', schemaname, sequencename) as name, last_value from pg_sequences where last_value is not null`,
    )
    for (const { name, last_value } of sequences) await client.query('select setval($1, $2)', [name, last_value])
    await client.query('commit')
  } finally {
    client.release()
  }
}

/** How many transaction ids a server has used. */
export const idsOf = async (pool: pg.Pool): Promise<number> => {
  const { rows } = await pool.query('select pg_snapshot_xmax(pg_current_snapshot())::text::float8 as next')
  return rows[0].next
}

/** Uses transaction ids until the server is past `to`. */
export const useUpTo = async (pool: pg.Pool, to: number): Promise<void> => {
  const missing = Math.max(0, Math.ceil(to - (await idsOf(pool))))
  await pool.query(`do $$ begin for i in 0 .. ${missing} loop perform pg_current_xact_id(); commit; end loop; end $$`)
}
