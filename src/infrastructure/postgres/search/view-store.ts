import type { Pool } from 'pg'
import type { View, ViewOwner, ViewStore } from '../../../application/ports/search/views.ts'
import { instant } from '../connection/instant.ts'

const COLUMNS = `name, list, filter, subject = '' as shared, updated_by as "updatedBy", ${instant('updated_at')} as "updatedAt"`

/** In the table, the subject of shared views. */
const keeper = ({ subject }: ViewOwner, shared: boolean): string => (shared ? '' : subject)

/** Named filters of lists. */
export const createViewStore = (pool: Pool): ViewStore => ({
  list: async ({ tenant, subject }) => {
    const { rows } = await pool.query<View>(
      `select ${COLUMNS} from command_bus_view where tenant_id = $1::text and subject in ('', $2::text) order by name, subject`,
      [tenant, subject],
    )
    return rows
  },

  set: async (owner, { name, list, filter, shared, actor }, most) => {
    const { rows } = await pool.query<View>(
      `insert into command_bus_view as v (tenant_id, subject, name, list, filter, updated_by)
       select $1::text, $2::text, $3::text, $4::text, $5::jsonb, $6::text
       where (select count(*) from command_bus_view o where o.tenant_id = $1 and o.subject = $2 and o.name <> $3) < $7::int
       on conflict (tenant_id, subject, name) do update set
         list = excluded.list, filter = excluded.filter, updated_by = excluded.updated_by, updated_at = clock_timestamp()
       returning ${COLUMNS}`,
      [owner.tenant, keeper(owner, shared), name, list, JSON.stringify(filter), actor, most],
    )
    return rows[0] ?? null
  },

  delete: async (owner, name, shared) => {
    const { rows } = await pool.query<View>(
      `delete from command_bus_view where tenant_id = $1::text and subject = $2::text and name = $3::text returning ${COLUMNS}`,
      [owner.tenant, keeper(owner, shared), name],
    )
    return rows[0] ?? null
  },
})
