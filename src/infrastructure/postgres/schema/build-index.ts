import { setTimeout as delay } from 'node:timers/promises'
import pg, { type ClientBase } from 'pg'

/** An index of a smaller table is built in the transaction of its migration: that takes a moment. */
const SMALL_BYTES = 16 * 1024 * 1024
const POLL_MS = 200

interface Found {
  readonly isValid: boolean | null
  readonly isUnderWay: boolean
  readonly isSmall: boolean
}

const find = async (client: ClientBase, schema: string, name: string, table: string): Promise<Found | undefined> => {
  const { rows } = await client.query<Found>(
    `select i.indisvalid as "isValid", pg_relation_size(t.oid) < ${SMALL_BYTES} as "isSmall",
       exists (select from pg_stat_progress_create_index p where p.relid = t.oid and p.index_relid = i.indexrelid) as "isUnderWay"
     from pg_class t left join (pg_index i join pg_class c on c.oid = i.indexrelid and c.relname = $2) on i.indrelid = t.oid
     where t.oid = to_regclass(format('%I.%I', $1::text, $3::text))`,
    [schema, name, table],
  )
  return rows[0]
}

/** Whether another migrator has made the same index in the meantime. */
const isThere = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code === '42P07' || error.code === '23505')

/**
 * Builds an index of a large table while commands are written, outside any transaction. What a migrator has left when it was killed is
 * removed, and one that builds at the same time is waited for.
 * @param index its name, `on`, its table and its columns
 */
export const buildIndex = async (client: ClientBase, schema: string, index: string): Promise<void> => {
  const [, name = '', table = '', columns = ''] = /^(\w+) on (\w+) (.+)$/.exec(index) ?? []
  for (;;) {
    const found = await find(client, schema, name, table)
    if (found === undefined || found.isValid === true || (found.isValid === null && found.isSmall)) return
    if (found.isUnderWay) await delay(POLL_MS)
    else if (found.isValid === false) await client.query(`drop index concurrently if exists "${schema}".${name}`)
    else {
      await client.query(`create index concurrently ${name} on "${schema}".${table} ${columns}`).catch(error => {
        if (!isThere(error)) throw error
      })
    }
  }
}
