import type { ClientBase, Pool } from 'pg'

interface Missing {
  readonly right: string
  readonly object: string
}

/** SQL: the role that needs the rights: the owner of the bus's functions, or before those exist, this connection's role. */
const MAKER = `with maker as (
  select id::regrole::text as role, id from (select coalesce(
    (select p.proowner from pg_proc p where p.proname = 'command_bus_make_queue' and p.prosecdef
       and p.pronamespace = (select c.relnamespace from pg_class c where c.oid = to_regclass('command_bus_migration'))),
    (select r.oid from pg_roles r where r.rolname = current_user)) as id) o)`

/**
 * The rights in pgmq's schema that the role that makes queues lacks, where another role installed pgmq.
 */
const missingRights = async (
  db: ClientBase | Pool,
): Promise<{ readonly role: string; readonly missing: readonly Missing[] }> => {
  const { rows } = await db.query<Missing & { role: string; held: boolean }>(
    `${MAKER}
     select o.role, x.* from maker o cross join lateral (values
       ('usage', 'schema pgmq', has_schema_privilege(o.id, 'pgmq', 'usage')),
       ('create', 'schema pgmq', has_schema_privilege(o.id, 'pgmq', 'create')),
       ('select', 'pgmq.meta', has_table_privilege(o.id, (select c.oid from pg_class c where c.relname = 'meta'
          and c.relnamespace = to_regnamespace('pgmq')), 'select')),
       ('insert', 'pgmq.meta', has_table_privilege(o.id, (select c.oid from pg_class c where c.relname = 'meta'
          and c.relnamespace = to_regnamespace('pgmq')), 'insert'))
     ) x("right", object, held)`,
  )
  return { role: rows[0]?.role ?? '', missing: rows.filter(({ held }) => held === false) }
}

/** One sentence on the missing rights and how to grant them; null when queues can be made. */
export const lackOfPgmqRights = async (db: ClientBase | Pool): Promise<string | null> => {
  const { role, missing } = await missingRights(db)
  if (missing.length === 0) return null
  const lacks = missing.map(({ right, object }) => `${right} on ${object}`).join(', ')
  return (
    `pgmq was installed by another role, and ${role} lacks ${lacks}: let the owner of schema pgmq run ` +
    `\`grant usage, create on schema pgmq to ${role}; grant select, insert, delete on pgmq.meta to ${role}\``
  )
}

/** One sentence on command queues that the bus may not use because another role made them; null when there are none. */
export const foreignQueues = async (db: ClientBase | Pool): Promise<string | null> => {
  const { rows } = await db.query<{ role: string; owner: string; table: string }>(
    `${MAKER}
     select m.role, c.relowner::regrole::text as owner, format('pgmq.%I', c.relname) as table
     from maker m, pgmq.meta q cross join lateral (values ('q_'), ('a_')) p(prefix)
     join pg_class c on c.relname = p.prefix || q.queue_name and c.relnamespace = 'pgmq'::regnamespace
     where command_bus_domain_of(q.queue_name) is not null and not pg_has_role(m.id, c.relowner, 'usage') order by 3`,
  )
  const [first] = rows
  if (first === undefined) return null
  return (
    `${rows.map(({ table }) => table).join(', ')} belong to ${first.owner}: let that role run ` +
    `\`${rows.map(({ table }) => `alter table ${table} owner to ${first.role}`).join('; ')}\``
  )
}
