import type { ClientBase, Pool } from 'pg'
import { assertSchemaCurrent } from '../postgres/schema/schema-version.ts'
import { createSearchStore } from '../postgres/search/search-store.ts'
import { createPool } from '../postgres/transactions/pool.ts'

/** How many of each the database has. They are in no log. */
export interface CopiedSettings {
  /** Members of payloads by which commands are searched. */
  readonly searchable: number
  /** Members that are hidden. */
  readonly sensitive: number
  readonly views: number
  readonly alerts: number
}

/** Each with its columns; when a search is complete is not copied. */
const TABLES = {
  command_bus_searchable: 'domain, command_type, path, declared_by, declared_at',
  command_bus_sensitive: 'domain, command_type, path, declared_at',
  command_bus_view: 'tenant_id, subject, name, list, filter, updated_by, updated_at',
  command_bus_alert: 'scope, name, url, secret, watches, quiet, digest_minutes, set_by, set_at',
} as const

/** Copies what the database does not have yet, and completes the searches. @throws SchemaVersionError */
export const copySettings = async (from: string, to: Pool): Promise<void> => {
  const source = createPool(from, 1)
  try {
    await assertSchemaCurrent(source)
    for (const [table, columns] of Object.entries(TABLES)) {
      const { rows } = await source.query<{ all: string }>(
        `select coalesce(json_agg(s), '[]')::text as all from (select ${columns} from ${table}) s`,
      )
      await to.query(
        `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1::json) on conflict do nothing`,
        [rows[0]?.all],
      )
    }
  } finally {
    await source.end()
  }
  await createSearchStore(to).fill()
}

export const countSettings = async (client: Pick<ClientBase, 'query'>): Promise<CopiedSettings> => {
  const { rows } = await client.query<CopiedSettings>(
    `select (select count(*)::int from command_bus_searchable) as searchable, (select count(*)::int from command_bus_sensitive) as sensitive,
       (select count(*)::int from command_bus_view) as views, (select count(*)::int from command_bus_alert) as alerts`,
  )
  return rows[0] as CopiedSettings
}
