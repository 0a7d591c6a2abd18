import type { Pool } from 'pg'
import type { TroubleshootingFilter } from '../../../application/ports/reading/command-queries.ts'
import { NO_FRAME } from '../../../domain/command/parking.ts'
import type { CommandStatus } from '../../../domain/command/transitions.ts'
import { instant } from '../connection/instant.ts'
import { INVESTIGATED, ofCause } from './causes.ts'
import { conditions, tenantIs } from './conditions.ts'

/** SQL, by the clock of the database. */
const SNOOZED = 'snoozed_until > now()'

export interface OpenRow {
  readonly domain: string
  readonly status: CommandStatus
  readonly count: number
  /** When the oldest of these commands was sent. */
  readonly oldest: string
}

/**
 * Counts open commands by reading only their index, which holds status, domain and time. Snoozed commands, and those of
 * causes under investigation, are counted in indexes of their own and subtracted.
 */
export const countOpen = async (
  pool: Pool,
  statuses: readonly CommandStatus[],
  tenantId?: string,
): Promise<readonly OpenRow[]> => {
  const ofTenant = tenantId === undefined ? '' : `and ${tenantIs('$1', 'tenant_id')}`
  const { rows } = await pool.query<OpenRow>(
    `select domain, status, sum(count)::int as count, ${instant('min(oldest)')} as oldest from (
       select domain, status, count(*) as count, min(created_at) as oldest from command_bus_command
       where status in (${statuses.map(status => `'${status}'`).join(', ')}) ${ofTenant} group by status, domain
       union all select domain, status, -count(*), null from command_bus_command
       where ${SNOOZED} ${ofTenant} group by status, domain
       union all select c.domain, c.status, -count(*), null from command_bus_cause k
       join command_bus_command c on c.status = 'IN_TROUBLESHOOTING_QUEUE' and ${ofCause('k', 'c')}
       where k.${INVESTIGATED} and not coalesce(c.${SNOOZED}, false) ${ofTenant} group by 1, 2) counted
     group by domain, status having sum(count) > 0 order by domain`,
    tenantId === undefined ? [] : [tenantId],
  )
  return rows
}

/** SQL: whether the parked command counts, as it is neither snoozed nor of a cause under investigation. */
export const inAlarm = (command: string): string => `not coalesce(${command}.${SNOOZED}, false) and not exists (
  select from command_bus_cause k where ${ofCause('k', command)} and k.${INVESTIGATED})`

/** SQL: where its last error was thrown, in the words of a filter. */
export const frameOf = (alias: string): string => `coalesce(nullif(${alias}.last_error_frame, ''), '${NO_FRAME}')`

/** The conditions of a list of parked commands, on the command row `c`. */
export const parkedFilters = (filter: TroubleshootingFilter) => {
  const filters = conditions()
  filters.add("c.status = 'IN_TROUBLESHOOTING_QUEUE'")
  filters.add('c.domain = ?', filter.domain)
  filters.add('c.command_type = ?', filter.commandType)
  filters.add('c.last_error_code = ?', filter.errorCode)
  filters.add(`${frameOf('c')} = ?`, filter.frame)
  filters.tenant(filter.tenantId)
  filters.add('c.parked_at >= ?::timestamptz', filter.from)
  filters.add('c.parked_at < ?::timestamptz', filter.to)
  filters.add(`coalesce(c.${SNOOZED}, false) = ?::boolean`, filter.snoozed)
  filters.add('c.assignee = ?', filter.assignee)
  filters.add('? = any (c.tags)', filter.tag)
  if (filter.q !== undefined) {
    // of a search by `ilike`, the planner expects a handful, and would read and sort all that is parked for a page of it
    filters.add(
      "strpos(lower(concat_ws(' ', c.command_id::text, c.last_error_code, c.last_error_msg)), lower(?)) > 0",
      filter.q,
    )
  }
  return filters
}
