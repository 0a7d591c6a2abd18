import type { Pool } from 'pg'
import type { PauseQueries } from '../../../application/ports/reading/flow-queries.ts'
import { isRefusal } from '../connection/errors.ts'
import { instant } from '../connection/instant.ts'
import { type PauseRow, pauseOf } from './pause-rows.ts'

const MOST = 1_000

export const createPauseQueries = (pool: Pool): PauseQueries => ({
  inForce: async ({ domain, tenantId }) => {
    const { rows } = await pool.query<PauseRow>(
      `select p.pause_id, p.domain, p.command_type, p.tenant_id, p.reason, ${instant('p.until')} as until,
         p.paused_by, ${instant('p.paused_at')} as paused_at
       from command_bus_pause p
       where p.resumed_at is null and command_bus_in_force(p.resumed_at, p.until) and ($1::text is null or p.domain = $1) and ($2::text is null or coalesce(p.tenant_id, $2) = $2)
       order by p.paused_at desc, p.pause_id limit ${MOST}`,
      [domain ?? null, tenantId ?? null],
    )
    return rows.map(pauseOf)
  },
})

/** The names of paused domains, at most five, for health; none where the role may not read them. */
export const pausedDomains = async (pool: Pool): Promise<readonly string[]> => {
  try {
    const { rows } = await pool.query<{ domain: string }>(
      `select distinct p.domain from command_bus_pause p
       where p.resumed_at is null and command_bus_in_force(p.resumed_at, p.until) order by 1 limit 5`,
    )
    return rows.map(({ domain }) => domain)
  } catch (error) {
    if (isRefusal(error)) return []
    throw error
  }
}
