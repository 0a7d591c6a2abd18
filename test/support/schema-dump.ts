import type { Pool } from 'pg'

/** Lines of (owner, rank, text) that describe each relation and function. */
const sql = `
with own as (
  select c.oid, c.relname, c.relkind, c.reloptions, c.relacl from pg_class c
  where c.relnamespace = (select relnamespace from pg_class where oid = 'command_bus_event'::regclass)
    and c.relkind in ('r', 'v', 'm', 'p', 'S')
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
), line (owner, rank, text) as (
  select relname, 0, case relkind when 'r' then 'table ' when 'v' then 'view ' when 'S' then 'sequence ' else 'relation ' end
    || relname || coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '') from own
  union all
  select relname, 1 + a.attnum / 10000.0, format('  column %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      case when a.attcollation <> t.typcollation then ' collate ' || l.collname else '' end,
      case when a.attnotnull then ' not null' else '' end,
      coalesce(' default ' || pg_get_expr(b.adbin, b.adrelid), case a.attidentity when 'a' then ' identity always' when 'd' then ' identity' else '' end))
  from own join pg_attribute a on a.attrelid = own.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_collation l on l.oid = a.attcollation
  left join pg_attrdef b on b.adrelid = a.attrelid and b.adnum = a.attnum
  where own.relkind <> 'S'
  union all
  select relname, 2, format('  constraint %s %s', k.conname, pg_get_constraintdef(k.oid))
  from own join pg_constraint k on k.conrelid = own.oid where k.contype <> 'n'
  union all
  select relname, 3, '  ' || pg_get_indexdef(i.indexrelid) from own join pg_index i on i.indrelid = own.oid
  union all
  select relname, 4, '  ' || pg_get_triggerdef(t.oid) from own join pg_trigger t on t.tgrelid = own.oid where not t.tgisinternal
  union all
  select relname, 5, '  grant ' || g.privilege_type || ' to ' || g.grantee::regrole
  from own cross join aclexplode(own.relacl) g where g.grantee <> g.grantor
  union all
  select relname, 6, '  as ' || pg_get_viewdef(own.oid) from own where relkind in ('v', 'm')
  union all
  select p.proname, 9, format('function %s(%s) returns %s, %s, body %s%s%s', p.proname, pg_get_function_identity_arguments(p.oid),
      pg_get_function_result(p.oid), l.lanname, md5(p.prosrc), case when p.prosecdef then ', security definer' else '' end, coalesce(', set ' || array_to_string(p.proconfig, ', '), ''))
  from pg_proc p join pg_language l on l.oid = p.prolang
  where p.pronamespace = (select relnamespace from pg_class where oid = 'command_bus_event'::regclass)
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
)
select text from line order by owner collate "C", rank, text collate "C"`

/** The schema as text: tables, columns, constraints, indexes, triggers, grants, views, and functions by their checksum. */
export const schemaDump = async (pool: Pool): Promise<string> => {
  const { rows } = await pool.query<{ text: string }>(sql)
  return `${rows.map(({ text }) => text).join('\n')}\n`
}
