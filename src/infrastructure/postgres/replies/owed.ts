import type { ClientBase, Pool } from 'pg'
import type { OwedQueries, OwedReply } from '../../../application/ports/reading/owed.ts'
import { instant } from '../connection/instant.ts'
import { conditions, tenantIs } from '../reading/conditions.ts'
import { DEFAULT_LIMIT, decodeCursor, pageOf } from '../reading/cursor.ts'

/** SQL: the command `c` owes a reply, in the words of the index. */
export const OWES = "c.reply_queue is not null and c.status in ('PENDING', 'IN_PROGRESS', 'IN_TROUBLESHOOTING_QUEUE')"

/** SQL: since before `seconds` ago, by the clock of the database; what is to run later is not late before that. */
const late = (seconds: string): string => `(c.created_at <= now() - make_interval(secs => ${seconds})
  and (c.run_at is null or c.run_at <= now() - make_interval(secs => ${seconds})))`

interface Counted {
  readonly total: number
  readonly lateOnes: number
  readonly oldest: string | null
}

const owedOf = ({
  domain,
  commandId,
  commandType,
  status,
  tenantId,
  replyTo,
  runAt,
  since,
  late,
}: OwedReply): OwedReply => ({
  domain,
  commandId,
  commandType,
  status,
  tenantId,
  replyTo,
  runAt,
  since,
  late,
})

/** Lists the commands that owe a reply; pages and counts read the index of those commands. */
export const createOwedQueries = (pool: Pool): OwedQueries => ({
  list: async ({ limit = DEFAULT_LIMIT, cursor, lateAfterSeconds, late: wanted, domain, queue, tenantId }) => {
    const filters = conditions()
    filters.add(OWES)
    filters.add('c.domain = ?', domain)
    filters.add('c.reply_queue = ?', queue)
    filters.tenant(tenantId)
    if (wanted !== undefined)
      filters.add(`${wanted ? '' : 'not '}${late('?::float8')}`, lateAfterSeconds, lateAfterSeconds)
    const all = filters.where()
    if (cursor !== undefined) {
      const { at, commandId, domain: of } = decodeCursor(cursor)
      filters.add('(c.created_at, c.command_id, c.domain) > (?::timestamptz, ?::uuid, ?)', at, commandId, of)
    }
    const isLate = late(`$${filters.values.push(lateAfterSeconds)}::float8`)
    // in one statement: the page and its counts are of one instant
    const { rows } = await pool.query<Counted & (OwedReply | { readonly commandId: null })>(
      `with counted as (
         select count(*)::int as total, count(*) filter (where ${isLate})::int as "lateOnes", ${instant('min(c.created_at)')} as oldest
         from command_bus_command c where ${all}),
       -- only the page is read outside the index
       found as (
         select c.domain, c.command_id from command_bus_command c where ${filters.where()}
         order by c.created_at, c.command_id, c.domain limit ${limit + 1}),
       page as (
         select c.domain, c.command_id as "commandId", c.command_type as "commandType", c.status, c.tenant_id as "tenantId",
           c.reply_queue as "replyTo", ${instant('c.run_at')} as "runAt", ${instant('c.created_at')} as since, ${isLate} as late,
           row_number() over (order by c.created_at, c.command_id, c.domain) as place
         from found f join command_bus_command c on c.domain = f.domain and c.command_id = f.command_id)
       select counted.*, page.* from counted left join page on true order by page.place`,
      filters.values,
    )
    const { total = 0, lateOnes = 0, oldest = null } = rows[0] ?? {}
    const items = rows.flatMap(row => (row.commandId === null ? [] : [owedOf(row)]))
    return { ...pageOf(items, limit, row => row.since), total, late: lateOnes, oldest, lateAfterSeconds }
  },
})

export interface OwedCounts {
  readonly total: number
  readonly late: number
  /** Since when the oldest is waited for, ISO 8601, and its age; null and 0: none. */
  readonly oldest: string | null
  readonly oldestSeconds: number
}

/** For metrics and alerts. */
export const countOwed = async (
  on: Pick<ClientBase, 'query'>,
  lateAfterSeconds: number,
  tenantId?: string,
): Promise<OwedCounts> => {
  const { rows } = await on.query<OwedCounts>(
    `select count(*)::int as total, count(*) filter (where ${late('$1::float8')})::int as late,
       ${instant('min(c.created_at)')} as oldest, coalesce(extract(epoch from now() - min(c.created_at)), 0)::float8 as "oldestSeconds"
     from command_bus_command c where ${OWES} and ${tenantIs('$2', 'c.tenant_id')}`,
    [lateAfterSeconds, tenantId ?? null],
  )
  return rows[0] ?? { total: 0, late: 0, oldest: null, oldestSeconds: 0 }
}
