import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg'
import { CommandBusError } from '../../../application/shared/errors.ts'

/** Raised when a rebuild cannot be done; the tables are unchanged. */
export class RebuildError extends CommandBusError {
  override readonly name = 'RebuildError'
  constructor(message: string, options?: ErrorOptions) {
    super('REBUILD_REFUSED', message, options)
  }
}

const freshOf = (table: string): string => `${table}_rebuild`

/** An empty table of the same shape, to be filled and swapped in. */
export interface FreshTable {
  /** Its name, quoted and with its schema. */
  readonly name: string
  /** The table it will replace. */
  readonly replaces: string
  /** Makes every index but the primary key's; call it when the table is full, which is cheaper. */
  readonly makeIndexes: () => Promise<void>
  /** Replaces the old table, and takes over the names of its indexes. Call it in a transaction. */
  readonly swap: () => Promise<void>
  readonly drop: () => Promise<void>
}

interface IndexRow {
  readonly name: string
  readonly definition: string
  readonly primary: boolean
}

/** Makes the table that a rebuild fills; drops one that an interrupted rebuild left behind. */
export const makeFreshTable = async (client: ClientBase, table: string): Promise<FreshTable> => {
  const { schema, options, owner, comment } = await describe(client, table)
  const freshName = (name: string): string =>
    name.startsWith(table) ? name.replace(table, freshOf(table)) : `${name}_rebuild`
  const inSchema = (name: string): string => `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`
  const [old, fresh] = [inSchema(table), inSchema(freshOf(table))]
  await refuseAttached(client, old)
  const drop = async (): Promise<void> => {
    await client.query(`drop table if exists ${fresh}`)
  }

  await drop()
  const storage = options === null ? '' : `with (${options.join(', ')})`
  await client.query(`create table ${fresh} (like ${old} including all excluding indexes) ${storage}`)
  const indexes = await indexesOf(client, old)
  const make = ({ name, definition }: IndexRow) => {
    const head = `INDEX ${escapeIdentifier(freshName(name))} ON ${fresh} USING `
    return client.query(definition.replace(/^(CREATE (?:UNIQUE )?)INDEX .*? USING /, (_, create) => create + head))
  }
  for (const index of indexes.filter(({ primary }) => primary)) {
    await make(index)
    const name = escapeIdentifier(freshName(index.name))
    await client.query(`alter table ${fresh} add constraint ${name} primary key using index ${name}`)
  }
  for (const { what, whom } of await grantsOn(client, old)) await client.query(`grant ${what} on ${fresh} to ${whom}`)
  if (comment !== null) await client.query(`comment on table ${fresh} is ${escapeLiteral(comment)}`)
  if (owner !== null) await client.query(`alter table ${fresh} owner to ${owner}`)

  return {
    name: fresh,
    replaces: old,
    makeIndexes: async () => {
      for (const index of indexes.filter(({ primary }) => !primary)) await make(index)
      await client.query(`analyze ${fresh}`)
    },
    swap: async () => {
      await client.query(`drop table ${old}`)
      await client.query(`alter table ${fresh} rename to ${escapeIdentifier(table)}`)
      for (const { name } of indexes) {
        await client.query(`alter index ${inSchema(freshName(name))} rename to ${escapeIdentifier(name)}`)
      }
    },
    drop,
  }
}

interface TableRow {
  readonly schema: string
  readonly options: readonly string[] | null
  /** The table's owner; null if that is the role that rebuilds. */
  readonly owner: string | null
  readonly comment: string | null
}

const describe = async (client: ClientBase, table: string): Promise<TableRow> => {
  const { rows } = await client.query<TableRow>(
    `select n.nspname as schema, c.reloptions as options, obj_description(c.oid, 'pg_class') as comment,
            case when pg_get_userbyid(c.relowner) <> current_user then c.relowner::regrole::text end as owner
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass('${table}')`,
  )
  if (rows[0] === undefined) throw new RebuildError(`there is no table ${table} yet: run \`commandbus migrate\``)
  return rows[0]
}

const indexesOf = async (client: ClientBase, table: string): Promise<readonly IndexRow[]> => {
  const { rows } = await client.query<IndexRow>(
    `select c.relname as name, pg_get_indexdef(i.indexrelid) as definition, i.indisprimary as primary
     from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1::regclass order by c.relname`,
    [table],
  )
  return rows
}

const grantsOn = async (client: ClientBase, table: string) => {
  const { rows } = await client.query<{ what: string; whom: string }>(
    `select a.privilege_type as what,
            case a.grantee when 0 then 'public' else a.grantee::regrole::text end
              || case when a.is_grantable then ' with grant option' else '' end as whom
     from pg_class c, aclexplode(c.relacl) a where c.oid = $1::regclass and a.grantee <> c.relowner`,
    [table],
  )
  return rows
}

/** Refuses a table with views, triggers and the like, which would be lost with it: its owner has to decide. */
const refuseAttached = async (client: ClientBase, table: string): Promise<void> => {
  const { rows } = await client.query<{ what: string }>(
    `select distinct pg_describe_object(d.classid, d.objid, 0) as what from pg_depend d
     where d.refclassid = 'pg_class'::regclass and d.refobjid = $1::regclass and d.deptype <> 'i' and (
       d.classid in ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_publication_rel'::regclass, 'pg_proc'::regclass)
       or d.classid = 'pg_trigger'::regclass and not (select t.tgisinternal from pg_trigger t where t.oid = d.objid)
       or d.classid = 'pg_constraint'::regclass and (select k.conrelid from pg_constraint k where k.oid = d.objid) <> $1::regclass)
     order by 1`,
    [table],
  )
  if (rows.length === 0) return
  const names = rows.map(({ what }) => what).join(', ')
  throw new RebuildError(
    `a rebuild replaces ${table} and would lose what you attached to it: ${names}; remove that, rebuild, and attach it again`,
  )
}
