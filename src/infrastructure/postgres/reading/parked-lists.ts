import type { Pool } from 'pg'
import type { CommandQueries, TroubleshootingItem } from '../../../application/ports/reading/command-queries.ts'
import { cutMessage } from '../../../application/shared/cut-json.ts'
import { NO_TENANT } from '../../../application/shared/scope.ts'
import { parkedColumns, pick } from '../../../domain/command/columns.ts'
import { NO_FRAME } from '../../../domain/command/parking.ts'
import { instant } from '../connection/instant.ts'
import { careOf, causeColumns, ofCause } from './causes.ts'
import { joinSent, listedColumns } from './command-columns.ts'
import { DEFAULT_LIMIT, pageOf } from './cursor.ts'
import { cutColumns, cutFrom, joinCut } from './cut-json.ts'
import { frameOf, parkedFilters } from './open-commands.ts'
import { orderBy, sortedBy } from './sorted.ts'

/** Senders choose types, and handlers choose codes: there may be as many groups as commands. */
const MOST_GROUPS = 500

/** Lists parked commands, and counts them by cause. */
export const createParkedLists = (pool: Pool): Pick<CommandQueries, 'parked' | 'parkedGroups'> => ({
  parked: async filter => {
    const limit = filter.limit ?? DEFAULT_LIMIT
    const sorted = sortedBy('c.parked_at', filter.sort)
    const total = parkedFilters(filter)
    const filters = parkedFilters(filter)
    filters.after(sorted, filter.cursor)
    const counting = pool.query(
      `select count(*)::int as total from command_bus_command c where ${total.where()}`,
      total.values,
    )
    const reading = pool.query<ParkedRow>(
      `select ${listedColumns('c', parkedColumns)}, ${cutColumns('sent_data', 'payload')}
       from (select * from command_bus_command c where ${filters.where()} ${orderBy(sorted)} limit ${limit + 1}) c
       ${joinSent} ${joinCut("sent.data->'data'", 'sent_data')} ${orderBy(sorted)}`,
      filters.values,
    )
    const [counted, { rows }] = await Promise.all([counting, reading])
    const keyOf = (row: ParkedRow): string => (sorted.sort === 'attempts' ? String(row.attempts) : row.parkedAt)
    const page = pageOf(rows, limit, keyOf, sorted.sort)
    return { ...page, items: page.items.map(itemOf), total: counted.rows[0].total }
  },

  parkedGroups: async ({ byFrame = true, ...filter }) => {
    const frame = byFrame ? frameOf('c') : `'${NO_FRAME}'`
    const filters = parkedFilters(filter)
    // the sample is found by its key: messages are long, and sorting them would be most of the work
    const { rows } = await pool.query(
      `select g.*, sample.last_error_msg as sample, ${causeColumns('k')} from (
         select c.domain, c.command_type, c.last_error_code, ${frame} as frame, count(*)::int as count, ${instant('min(c.parked_at)')} as first,
                ${instant('max(c.parked_at)')} as last,
                right(max(to_char(c.parked_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS') || c.command_id::text collate "C"), 36)::uuid as newest
         from command_bus_command c where ${filters.where()}
         group by c.domain, c.command_type, c.last_error_code, 4
         order by count(*) desc, c.domain, c.command_type, c.last_error_code, 4 limit ${MOST_GROUPS}) g
       left join command_bus_command sample on sample.domain = g.domain and sample.command_id = g.newest
       left join command_bus_cause k on ${ofCause('k', 'g')}
       order by g.count desc, g.domain, g.command_type, g.last_error_code, g.frame`,
      filters.values,
    )
    return rows.map(row => ({
      domain: row.domain,
      commandType: row.command_type,
      errorCode: row.last_error_code,
      frame: row.frame === NO_FRAME ? null : row.frame,
      count: row.count,
      first: row.first,
      last: row.last,
      sample: cutMessage(row.sample),
      // what is written about a cause may be about commands of other tenants
      care: (filter.tenantId ?? NO_TENANT) === NO_TENANT ? careOf(row) : null,
    }))
  },
})

interface ParkedRow extends TroubleshootingItem {
  readonly parkedAt: string
}

const itemOf = (row: ParkedRow): TroubleshootingItem => ({ ...pick(row, parkedColumns), ...cutFrom(row, 'payload') })
