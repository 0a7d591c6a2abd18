import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type pg from 'pg'

/** All rows of a database of the bus. */
interface Rows {
  readonly queues: readonly string[]
  /** Each row is a JSON text as PostgreSQL prints it: JavaScript would round some of its numbers. */
  readonly tables: { readonly [name: string]: readonly string[] }
  /** By sequence: the last value that was given out. */
  readonly sequences: { readonly [name: string]: string }
}

type Database = Pick<pg.Pool, 'query'>

const tablesOf = async (database: Database): Promise<readonly string[]> => {
  const { rows } = await database.query(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and (n.nspname = 'pgmq' and c.relname ~ '^[qa]_' or c.relname like 'command_bus_%')
       and c.relname <> 'command_bus_migration'
     order by 1`,
  )
  return rows.map(({ name }) => name)
}

const sequencesOf = async (database: Database): Promise<Readonly<Record<string, string>>> => {
  const { rows } = await database.query(
    `select format('%I.%I', schemaname, sequencename) as name, last_value::text as value from pg_sequences
     where last_value is not null`,
  )
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
}

/** What `pg_dump --data-only` would keep; that program does not come with the embedded server. */
export const dumpRows = async (database: Database): Promise<Buffer> => {
  const { rows: queues } = await database.query('select queue_name as name from pgmq.list_queues() order by 1')
  const tables: Record<string, readonly string[]> = {}
  for (const table of await tablesOf(database)) {
    const { rows } = await database.query(`select to_jsonb(t)::text as row from ${table} t order by t::text`)
    tables[table] = rows.map(({ row }) => row)
  }
  const kept: Rows = { queues: queues.map(({ name }) => name), tables, sequences: await sequencesOf(database) }
  return promisify(gzip)(JSON.stringify(kept))
}

/** Puts the rows into a database that has the schema they were written with. @returns how many rows each table got */
export const loadRows = async (pool: pg.Pool, dump: Buffer): Promise<Readonly<Record<string, number>>> => {
  const { queues, tables, sequences }: Rows = JSON.parse(String(await promisify(gunzip)(dump)))
  for (const queue of queues) await pool.query('select command_bus_make_queue($1)', [queue])
  const client = await pool.connect()
  try {
    await client.query('begin')
    // no triggers: the rows are as they were
    await client.query(`set local session_replication_role = replica`)
    for (const [table, rows] of Object.entries(tables)) {
      await client.query(`delete from ${table}`)
      await client.query(
        `insert into ${table} overriding system value select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`,
        [`[${rows.join()}]`],
      )
    }
    for (const [name, value] of Object.entries(sequences)) await client.query('select setval($1, $2)', [name, value])
    await client.query('commit')
    // a server that gave out fewer transaction ids than the log has would take its events for those of the future
    await client.query(`do $$ begin
      while pg_current_xact_id() <= (select max(xid) from command_bus_event) loop commit; end loop; end $$`)
  } finally {
    client.release()
  }
  return Object.fromEntries(Object.entries(tables).map(([table, rows]) => [table, rows.length]))
}
