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

/** Lists the commands that owe a reply; pages and counts read the index of those commands. */
export const createOwedQueries = (pool: Pool): OwedQueries => ({
  list: async ({ limit = DEFAULT_LIMIT, cursor, lateAfterSeconds, late: wanted, domain, queue, tenantId }) => {
    const chosen = (): ReturnType<typeof conditions> => {
      const filters = conditions()
      filters.add(OWES)
      filters.add('c.domain = ?', domain)
      filters.add('c.reply_queue = ?', queue)
      filters.tenant(tenantId)
      if (wanted !== undefined)
        filters.add(`${wanted ? '' : 'not '}${late('?::float8')}`, lateAfterSeconds, lateAfterSeconds)
      return filters
    }
    const counted = chosen()
    const filters = chosen()
    if (cursor !== undefined) {
      const { at, commandId, domain: of } = decodeCursor(cursor)
      filters.add('(c.created_at, c.command_id, c.domain) > (?::timestamptz, ?::uuid, ?)', at, commandId, of)
    }
    const seconds = (values: unknown[]): string => `$${values.push(lateAfterSeconds)}::float8`
    const [{ rows: counts }, { rows }] = await Promise.all([
      pool.query<{ total: number; late: number; oldest: string | null }>(
        `select count(*)::int as total, count(*) filter (where ${late(seconds(counted.values))})::int as late,
           ${instant('min(c.created_at)')} as oldest from command_bus_command c where ${counted.where()}`,
        counted.values,
      ),
      pool.query<OwedReply>(
        `select c.domain, c.command_id as "commandId", c.command_type as "commandType", c.status, c.tenant_id as "tenantId",
           c.reply_queue as "replyTo", ${instant('c.run_at')} as "runAt", ${instant('c.created_at')} as since,
           ${late(seconds(filters.values))} as late
         from command_bus_command c where ${filters.where()}
         order by c.created_at, c.command_id, c.domain limit ${limit + 1}`,
        filters.values,
      ),
    ])
    const { total = 0, late: lateOnes = 0, oldest = null } = counts[0] ?? {}
    return { ...pageOf(rows, limit, row => row.since), total, late: lateOnes, oldest, lateAfterSeconds }
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
