import type { FeedEvent } from '../../application/ports/event-feed.ts'
import type {
  CommandFilter,
  CommandQueries,
  OwnedItem,
  TroubleshootingFilter,
  TroubleshootingItem,
} from '../../application/ports/reading/command-queries.ts'
import { cutMember } from '../../application/shared/cut-json.ts'
import { isWithin } from '../../application/shared/scope.ts'
import { parkedColumns } from '../../domain/command/columns.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { commandStream } from '../../domain/command/names.ts'
import { meets, NO_FRAME } from '../../domain/command/parking.ts'
import type { Json } from '../../domain/json/json.ts'
import { operationStatus } from '../../domain/operation/status.ts'
import { auditOf } from './audit.ts'
import { detailOf, listedOf, payloadOf, pickColumns } from './command-views.ts'
import { newestFirst } from './pages.ts'
import { groupsOf } from './parked-groups.ts'
import type { StoredRow, Tables } from './tables.ts'

export interface MemoryQueriesDeps {
  readonly tables: Tables
  readonly now: () => number
  readonly eventsOf: (stream: string) => readonly FeedEvent<CommandEvent>[]
}

const has = (text: string | null, part: string): boolean => (text ?? '').toLowerCase().includes(part.toLowerCase())

const matches = (row: StoredRow, filter: CommandFilter, now: string): boolean => {
  const isScheduled = row.status === 'PENDING' && row.run_at !== null && row.run_at > now
  const isRetrying = row.status === 'PENDING' && row.next_attempt_at !== null
  return (
    (filter.domain === undefined || row.domain === filter.domain) &&
    (filter.status === undefined || row.status === filter.status) &&
    (filter.commandType === undefined || row.command_type === filter.commandType) &&
    (filter.errorCode === undefined || row.last_error_code === filter.errorCode) &&
    (filter.correlationId === undefined || row.correlation_id === filter.correlationId) &&
    (filter.createdAfter === undefined || row.created_at >= filter.createdAfter) &&
    (filter.createdBefore === undefined || row.created_at < filter.createdBefore) &&
    (filter.scheduled === undefined || filter.scheduled === isScheduled) &&
    (filter.retrying === undefined || filter.retrying === isRetrying) &&
    (filter.idPrefix === undefined || row.command_id.startsWith(filter.idPrefix)) &&
    (filter.message === undefined || has(row.last_error_msg, filter.message)) &&
    isWithin(filter, row.tenant_id)
  )
}

const isParked = (row: StoredRow, filter: TroubleshootingFilter, now: string): boolean =>
  row.status === 'IN_TROUBLESHOOTING_QUEUE' &&
  (filter.domain === undefined || row.domain === filter.domain) &&
  (filter.commandType === undefined || row.command_type === filter.commandType) &&
  (filter.errorCode === undefined || row.last_error_code === filter.errorCode) &&
  (filter.frame === undefined || (row.last_error_frame || NO_FRAME) === filter.frame) &&
  (filter.from === undefined || (row.parked_at ?? '') >= filter.from) &&
  (filter.to === undefined || (row.parked_at ?? '') < filter.to) &&
  (filter.q === undefined || has([row.command_id, row.last_error_code, row.last_error_msg].join(' '), filter.q)) &&
  meets(filter, { snoozedUntil: row.snoozed_until, assignee: row.assignee || null, tags: row.tags }, now) &&
  isWithin(filter, row.tenant_id)

/** The lists of commands, over the rows in memory. */
export const createMemoryQueries = ({ tables, now, eventsOf }: MemoryQueriesDeps): CommandQueries => {
  const instant = (): string => new Date(now()).toISOString()
  const rows = (): readonly StoredRow[] => [...tables.commands.values()]
  const streamOf = ({ domain, command_id: commandId }: StoredRow): string => commandStream({ domain, commandId })
  const historyOf = (row: StoredRow): readonly CommandEvent[] => eventsOf(streamOf(row)).map(({ event }) => event)
  const whole = (row: StoredRow) => detailOf(row, historyOf(row))

  const itemOf = (row: StoredRow): TroubleshootingItem =>
    ({
      ...pickColumns(row, parkedColumns),
      ...cutMember('payload', payloadOf(row, historyOf(row))),
      lastErrorMsg: listedOf(row).lastErrorMsg,
    }) as unknown as TroubleshootingItem

  const ownedOf = (row: StoredRow): OwnedItem => {
    const { data, result, ...view } = whole(row)
    const { session_id = null, message_id = null } = Object(data) as Readonly<Record<string, Json>>
    return { ...view, ...listedOf(row), data: { session_id, message_id }, ...cutMember('result', result) }
  }

  return {
    get: async (domain, commandId) => {
      const row = tables.commands.get(commandStream({ domain, commandId }))
      return row === undefined ? null : whole(row)
    },
    find: async commandId =>
      rows()
        .filter(row => row.command_id === commandId)
        .sort((a, b) => (a.domain < b.domain ? -1 : 1))
        .map(whole),
    list: async filter =>
      newestFirst(
        rows()
          .filter(row => matches(row, filter, instant()))
          .map(listedOf),
        ({ createdAt }) => createdAt,
        filter,
      ),
    searchablePaths: async () => [],
    listOwned: async (domain, filter) =>
      newestFirst(
        rows()
          .filter(row => row.domain === domain && row.owner_id === filter.ownerId && isWithin(filter, row.tenant_id))
          .map(ownedOf)
          .filter(
            item =>
              filter.progress === undefined || operationStatus(item.status, item.totalAttempts) === filter.progress,
          ),
        ({ createdAt }) => createdAt,
        filter,
      ),
    auditTrail: async (domain, commandId, { eventType } = {}) =>
      eventsOf(commandStream({ domain, commandId }))
        .flatMap(auditOf)
        .filter(entry => eventType === undefined || entry.eventType === eventType),
    parked: async filter => {
      const all = rows().filter(row => isParked(row, filter, instant()))
      return { ...newestFirst(all.map(itemOf), ({ parkedAt }) => parkedAt, filter), total: all.length }
    },
    parkedGroups: async filter =>
      groupsOf(
        rows().filter(row => isParked(row, filter, instant())),
        filter.byFrame,
      ),
  }
}
