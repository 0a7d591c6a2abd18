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

const NO_TABLE: Found = { isValid: null, isUnderWay: false, isSmall: true }

/** `isUnderWay`: by the locks of who builds, as only who builds, or may see the other's statistics, sees of which table it is. */
const find = async (client: ClientBase, schema: string, name: string, table: string): Promise<Found | undefined> => {
  const { rows } = await client.query<Found>(
    `select i.indisvalid as "isValid", pg_relation_size(t.oid) < ${SMALL_BYTES} as "isSmall",
       exists (select from pg_stat_progress_create_index p join pg_locks l on l.pid = p.pid
         where p.datname = current_database() and l.relation = t.oid and l.mode = 'ShareUpdateExclusiveLock') as "isUnderWay"
     from pg_class t left join (pg_index i join pg_class c on c.oid = i.indexrelid and c.relname = $2) on i.indrelid = t.oid
     where t.oid = to_regclass(format('%I.%I', $1::text, $3::text))`,
    [schema, name, table],
  )
  return rows[0]
}

/** Another migrator has made the same index in the meantime, or both have waited for the table and then for one another. */
const isRace = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && ['42P07', '23505', '40P01'].includes(error.code ?? '')

/**
 * Builds an index of a large table while commands are written, outside any transaction. What a migrator has left when it was killed is
 * removed, and one that builds at the same time is waited for.
 * @param index its name, `on`, its table and its columns
 */
export const buildIndex = async (client: ClientBase, schema: string, index: string): Promise<void> => {
  const [, name = '', table = '', columns = ''] = /^(\w+) on (\w+) (.+)$/.exec(index) ?? []
  for (let isLeft = false; ; ) {
    const { isValid, isUnderWay, isSmall } = (await find(client, schema, name, table)) ?? NO_TABLE
    if (isValid === true || (isValid === null && isSmall)) return
    // in its last moment, one that is being built looks like one that was left
    const mayAct = !isUnderWay && (isValid === null || isLeft)
    isLeft = isValid === false && !isUnderWay
    try {
      if (mayAct && isValid === null)
        await client.query(`create index concurrently ${name} on "${schema}".${table} ${columns}`)
      else if (mayAct) await client.query(`drop index concurrently if exists "${schema}".${name}`)
    } catch (error) {
      if (!isRace(error)) throw error
    }
    // not all at the same time
    await delay(POLL_MS * (0.5 + Math.random()))
  }
}
