import type { Pool } from 'pg'
import type {
  CommandQueries,
  TroubleshootingFilter,
  TroubleshootingItem,
} from '../../../application/ports/reading/command-queries.ts'
import { cutMessage } from '../../../application/shared/cut-json.ts'
import { NO_TENANT } from '../../../application/shared/scope.ts'
import { parkedColumns, pick } from '../../../domain/command/columns.ts'
import { NO_FRAME } from '../../../domain/command/parking.ts'
import { instant } from '../connection/instant.ts'
import { careOf, causeColumns, ofCause } from './causes.ts'
import { joinSent, listedColumns } from './command-columns.ts'
import { DEFAULT_LIMIT, invalidCursor, pageOf } from './cursor.ts'
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
    const filters = parkedFilters(filter)
    const [cursor, known] = cursorOf(filter.cursor)
    filters.after(sorted, cursor)
    const { rows } = await pool.query<ParkedRow>(
      `select ${listedColumns('c', parkedColumns)}, ${cutColumns('sent_data', 'payload')}
       from (select * from command_bus_command c where ${filters.where()} ${orderBy(sorted)} limit ${limit + 1}) c
       ${joinSent} ${joinCut("sent.data->'data'", 'sent_data')} ${orderBy(sorted)}`,
      filters.values,
    )
    const keyOf = (row: ParkedRow): string => (sorted.sort === 'attempts' ? String(row.attempts) : row.parkedAt)
    const { nextCursor, ...page } = pageOf(rows, limit, keyOf, sorted.sort)
    const items = page.items.map(itemOf)
    if (filter.counted === false) return { items, nextCursor, total: items.length }
    const isWhole = nextCursor === null && cursor === undefined
    const total = known ?? (isWhole ? items.length : await countParked(pool, filter))
    return { items, nextCursor: nextCursor === null ? null : `${nextCursor}.${total}`, total }
  },

  parkedGroups: async ({ byFrame = true, ...filter }) => {
    const frame = byFrame ? frameOf('c') : `'${NO_FRAME}'`
    const filters = parkedFilters(filter)
    // the sample is found by its time: messages are long, and only an index is read to count
    const { rows } = await pool.query(
      `select g.domain, g.command_type, g.last_error_code, g.frame, g.count, g.first, g.last, sample.last_error_msg as sample, ${causeColumns('k')} from (
         select c.domain, c.command_type, c.last_error_code, ${frame} as frame, count(*)::int as count, ${instant('min(c.parked_at)')} as first,
                ${instant('max(c.parked_at)')} as last, max(c.parked_at) as newest
         from command_bus_command c where ${filters.where()}
         group by c.domain, c.command_type, c.last_error_code, 4
         order by count(*) desc, c.domain, c.command_type, c.last_error_code, 4 limit ${MOST_GROUPS}) g
       left join lateral (
         select c.last_error_msg from command_bus_command c
         where ${filters.where()} and c.domain = g.domain and c.command_type = g.command_type and c.last_error_code = g.last_error_code
           and ${frame} = g.frame and c.parked_at = g.newest order by c.command_id desc limit 1) sample on true
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

/** Where a condition is on what no index has, and rows are read to count them. */
const MOST_COUNTED = 10_000

const countParked = async (pool: Pool, filter: TroubleshootingFilter): Promise<number> => {
  const filters = parkedFilters(filter)
  const readsRows = [filter.q, filter.assignee, filter.tag].some(given => given !== undefined)
  const { rows } = await pool.query<{ total: number }>(
    `select count(*)::int as total from (
       select from command_bus_command c where ${filters.where()} ${readsRows ? `limit ${MOST_COUNTED}` : ''}) counted`,
    filters.values,
  )
  return rows[0]?.total ?? 0
}

/** The cursor of a list, and what its first page has counted. @throws InvalidInputError */
const cursorOf = (text: string | undefined): readonly [cursor: string | undefined, total?: number] => {
  const [cursor, total, ...others] = text?.split('.') ?? []
  if (total === undefined) return [cursor]
  if (others.length > 0 || !/^\d{1,9}$/.test(total)) throw invalidCursor()
  return [cursor, Number(total)]
}

interface ParkedRow extends TroubleshootingItem {
  readonly parkedAt: string
}

const itemOf = (row: ParkedRow): TroubleshootingItem => ({ ...pick(row, parkedColumns), ...cutFrom(row, 'payload') })
