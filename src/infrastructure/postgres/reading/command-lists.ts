import type { Pool } from 'pg'
import type {
  CommandFilter,
  CommandQueries,
  CommandView,
  OwnedItem,
} from '../../../application/ports/reading/command-queries.ts'
import { NO_TENANT } from '../../../application/shared/scope.ts'
import { pick, viewColumns } from '../../../domain/command/columns.ts'
import type { CommandStatus } from '../../../domain/command/transitions.ts'
import type { OperationStatus } from '../../../domain/operation/status.ts'
import { joinLast, joinSent, listedColumns, resultOf } from './command-columns.ts'
import { conditions, containing } from './conditions.ts'
import { DEFAULT_LIMIT, pageOf } from './cursor.ts'
import { cutColumns, cutFrom, joinCut } from './cut-json.ts'
import { idBetween } from './domains.ts'
import { orderBy, sortedBy } from './sorted.ts'
import { sortedOfAllDomains, sortedOfEachDomain, sortedWithPayload } from './sorted-commands.ts'

const newestFirst = orderBy(sortedBy('c.created_at', 'newest'))

/** Whether an index contains the commands of this status, by domain and time. */
const isOpen = (status: CommandStatus | undefined): boolean =>
  status !== undefined && status !== 'COMPLETED' && status !== 'CANCELED'

/** SQL: they wait for their time, by the clock of the database; in the words of their index. */
const SCHEDULED = "(c.status = 'PENDING' and c.run_at is not null and c.run_at > now())"

/** SQL: they wait for their next attempt. */
const RETRYING = "(c.status = 'PENDING' and c.next_attempt_at is not null)"

/** Most commands are, though after a stop of the workers many newer ones may not be. */
const isCompletedOnly = ({ status, limit: _, cursor: __, ...others }: CommandFilter): boolean =>
  status === 'COMPLETED' && Object.values(others).every(one => one === undefined)

/** Whether an index contains the listed commands, or few more, in their order. */
const hasIndex = ({
  domain,
  status,
  errorCode,
  correlationId,
  tenantId,
  scheduled,
  idPrefix,
}: CommandFilter): boolean =>
  idPrefix !== undefined ||
  domain !== undefined ||
  scheduled === true ||
  status === 'CANCELED' ||
  errorCode !== undefined ||
  correlationId !== undefined ||
  (tenantId !== undefined && tenantId !== NO_TENANT)

/** They are few, and found by index entries or among those that are open. */
const isNarrow = ({ commandType, message }: CommandFilter): boolean =>
  commandType !== undefined || message !== undefined

/** The first and the last id that begins so. */
const idsFrom = (prefix: string): readonly [string, string] => [
  prefix + '00000000-0000-0000-0000-000000000000'.slice(prefix.length),
  prefix + 'ffffffff-ffff-ffff-ffff-ffffffffffff'.slice(prefix.length),
]

/** Lists commands, by when they were sent. */
export const createCommandLists = (pool: Pool): Pick<CommandQueries, 'list' | 'listOwned' | 'searchablePaths'> => ({
  searchablePaths: async () => {
    const { rows } = await pool.query<{ path: string }>('select distinct path from command_bus_searchable order by 1')
    return rows.map(({ path }) => path)
  },

  list: async filter => {
    const limit = filter.limit ?? DEFAULT_LIMIT
    const sorted = sortedBy('c.created_at', filter.sort)
    const filters = conditions()
    filters.add('c.created_at >= ?::timestamptz', filter.createdAfter)
    filters.add('c.created_at < ?::timestamptz', filter.createdBefore)
    filters.after(sorted, filter.cursor)
    const time = filters.where()
    const status = filters.add('c.status = ?', filter.status)
    filters.add('c.domain = ?', filter.domain)
    filters.add('c.command_type = ?', filter.commandType)
    filters.add('c.last_error_code = ?', filter.errorCode)
    filters.correlation(filter.correlationId)
    filters.tenant(filter.tenantId)
    if (filter.scheduled === true) filters.add(SCHEDULED)
    if (filter.scheduled === false) filters.add(`not coalesce(${SCHEDULED}, false)`)
    if (filter.retrying === true) filters.add(RETRYING)
    if (filter.retrying === false) filters.add(`not ${RETRYING}`)
    if (filter.idPrefix !== undefined) filters.add(idBetween('?::uuid', '?::uuid'), ...idsFrom(filter.idPrefix))
    filters.add(`c.last_error_msg ilike ?`, filter.message === undefined ? undefined : containing(filter.message))
    const where = filters.where()
    if (filter.payload !== undefined) {
      const { rows } = await pool.query<CommandView>(
        sortedWithPayload(listedColumns('c'), { ...filter, where, limit: limit + 1 }, filters.values),
        filters.values,
      )
      return pageOf(rows, limit, row => row.createdAt, sorted.sort)
    }
    const read = async (): Promise<readonly CommandView[]> =>
      (
        await pool.query<CommandView>(
          `select ${listedColumns('c')} from command_bus_command c where ${where} ${orderBy(sorted)} limit ${limit + 1}`,
          filters.values,
        )
      ).rows
    const having = isOpen(filter.status) ? status : filter.retrying === true ? "c.status = 'PENDING'" : 'true'
    const page = { sort: filter.sort, status: having, where, limit: limit + 1 }
    const mergeEach = async (): Promise<readonly CommandView[]> =>
      (await pool.query<CommandView>(sortedOfEachDomain(listedColumns('c'), page), filters.values)).rows
    const merge = async (): Promise<readonly CommandView[]> => {
      const { rows } = await pool.query<CommandView & { readonly isComplete: boolean }>(
        sortedOfAllDomains(listedColumns('c'), {
          ...page,
          time,
          isFrequent: isCompletedOnly(filter),
        }),
        filters.values,
      )
      const isPage = rows.length > limit || rows[0]?.isComplete === true
      return isPage ? rows.filter(row => row.commandId !== null).map(row => pick(row, viewColumns)) : read()
    }
    const rows = await (hasIndex(filter) ? read() : isNarrow(filter) ? mergeEach() : merge())
    return pageOf(rows, limit, row => row.createdAt, sorted.sort)
  },

  listOwned: async (domain, filter) => {
    const limit = filter.limit ?? DEFAULT_LIMIT
    const filters = conditions()
    filters.add('c.domain = ?', domain)
    filters.add('c.owner_id = ?', filter.ownerId)
    filters.tenant(filter.tenantId)
    if (filter.progress !== undefined) filters.add(progressIs[filter.progress])
    filters.after(sortedBy('c.created_at', 'newest'), filter.cursor)
    const { rows } = await pool.query<OwnedItem>(
      `select ${listedColumns('c')}, ${cutColumns('answer', 'result')},
              jsonb_build_object('session_id', sent.data#>'{data,session_id}',
                                 'message_id', sent.data#>'{data,message_id}') as data
       from (select * from command_bus_command c where ${filters.where()} ${newestFirst} limit ${limit + 1}) c
       ${joinSent} ${joinLast} ${joinCut(resultOf, 'answer')} ${newestFirst}`,
      filters.values,
    )
    const page = pageOf(rows, limit, row => row.createdAt)
    return { ...page, items: page.items.map(ownedOf) }
  },
})

const ownedOf = (row: OwnedItem): OwnedItem => ({
  ...pick(row, viewColumns),
  data: row.data,
  ...cutFrom(row, 'result'),
})

/** SQL conditions for the statuses that users see; see domain/operation/status.ts. */
const progressIs: Readonly<Record<OperationStatus, string>> = {
  pending: "c.status = 'PENDING' and c.total_attempts = 0",
  processing: "(c.status = 'IN_PROGRESS' or c.status = 'PENDING' and c.total_attempts > 0)",
  completed: "c.status = 'COMPLETED'",
  failed: "c.status in ('FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE')",
}
