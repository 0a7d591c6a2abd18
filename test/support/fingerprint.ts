import type pg from 'pg'

/**
 * One digest for all rows of each table in the database: it shows any change. Workers announce themselves all the time, which changes
 * nothing.
 */
export const fingerprint = async (pool: Pick<pg.Pool, 'query'>): Promise<Readonly<Record<string, string>>> => {
  const { rows: tables } = await pool.query(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
       and c.relname <> 'command_bus_worker' order by 1`,
  )
  const digests = tables.map(
    ({ name }) =>
      `select '${name}' as name, md5(string_agg(t::text, '|' order by t::text)) as rows, count(*) from ${name} t`,
  )
  // PostgreSQL may work on the parts at the same time
  const { rows } = await pool.query(`${digests.join(' union all ')} order by 1`)
  return Object.fromEntries(rows.map(row => [row.name, `${row.count} ${row.rows}`]))
}
