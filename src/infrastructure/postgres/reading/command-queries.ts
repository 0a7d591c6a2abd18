import type { Pool } from 'pg'
import type {
  AuditEntry,
  CommandDetail,
  CommandFilter,
  CommandQueries,
  CommandView,
  OwnedItem,
  TroubleshootingFilter,
  TroubleshootingItem,
} from '../../../application/ports/reading/command-queries.ts'
import { cutMessage } from '../../../application/shared/cut-json.ts'
import { NO_TENANT } from '../../../application/shared/scope.ts'
import { commandStream } from '../../../domain/command/names.ts'
import type { Json } from '../../../domain/json/json.ts'
import type { OperationStatus } from '../../../domain/operation/status.ts'
import type { CommandRow } from '../../../projections/command-row.ts'
import { columnsOf, instant } from '../connection/instant.ts'
import { streamOf } from '../log/command-streams.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { cutColumns, cutFrom, cutMessageColumn, cutObject, joinCut } from './cut-json.ts'

const DEFAULT_LIMIT = 100

/** Every column of a command's row, as lists carry it: the message of the last error may be cut. */
export const commandColumns = (alias: string): string =>
  `${withoutMessage(alias)}, ${cutMessageColumn(`${alias}.last_error_msg`)} as last_error_msg`

const wholeColumns = (alias: string): string => `${withoutMessage(alias)}, ${alias}.last_error_msg`

const withoutMessage = (alias: string): string =>
  columnsOf(
    alias,
    [
      'domain',
      'command_id',
      'command_type',
      'status',
      'attempts',
      'max_attempts',
      'total_attempts',
      'msg_id',
      'queue_name',
      'reply_queue',
      'correlation_id',
      'causation_id',
      'tenant_id',
      'owner_id',
      'parent_command_id',
      'retry_count',
      'parked_reason',
      'last_error_type',
      'last_error_code',
      'data_revision',
      'revision',
    ],
    ['lease_expires_at', 'next_attempt_at', 'parked_at', 'created_at', 'updated_at'],
  )

const auditColumns = `${columnsOf(
  'a',
  ['audit_id', 'domain', 'command_id', 'event_type', 'actor', 'revision'],
  ['ts'],
)}, ${cutObject('a.details_json')} as details_json`

/** What a `c` of commands is joined with for its present payload (`sent`) and its last event (`last`). */
const joinSent = `left join command_bus_event sent
  on sent.stream = ${streamOf('c')} and sent.revision = c.data_revision`
const joinLast = `left join command_bus_event last
  on last.stream = ${streamOf('c')} and last.revision = c.revision`

const resultOf = `case when c.status = 'COMPLETED' then coalesce(last.data->'result', last.data->'resultData') end`

/** Conditions joined with `and`, each with its own numbered parameters. */
const conditions = () => {
  const values: unknown[] = []
  const parts: string[] = []
  return {
    values,
    /** `sql` names its parameter `?`, with the cast it needs; nothing is added for an undefined value. */
    add: (sql: string, ...given: readonly unknown[]): void => {
      if (given.some(value => value === undefined)) return
      let i = values.length
      values.push(...given)
      parts.push(sql.replace(/\?/g, () => `$${++i}`))
    },
    /** Nothing is added for an undefined tenant, which stands for all. */
    tenant: (column: string, tenantId: string | undefined): void => {
      if (tenantId === undefined) return
      if (tenantId !== NO_TENANT) values.push(tenantId)
      parts.push(tenantId === NO_TENANT ? `${column} is null` : `${column} = $${values.length}`)
    },
    where: () => (parts.length === 0 ? 'true' : parts.join(' and ')),
  }
}

/** The read side on PostgreSQL. Lists go by key from where the page before ended, so a late page costs what the first does. */
export const createCommandQueries = (pool: Pool): CommandQueries => {
  const byKey = async (where: string, values: readonly unknown[]): Promise<readonly CommandDetail[]> => {
    const { rows } = await pool.query(
      `select ${wholeColumns('c')}, sent.data->'data' as data, ${resultOf} as result
       from command_bus_command c ${joinSent} ${joinLast} where ${where} order by c.domain`,
      [...values],
    )
    return rows.map(detailOf)
  }

  return {
    get: async (domain, commandId) =>
      (await byKey('c.domain = $1 and c.command_id = $2::uuid', [domain, commandId]))[0] ?? null,

    find: async commandId => {
      // one index probe a domain, however many commands there are
      const { rows } = await pool.query(
        `with recursive d as (
           (select domain from command_bus_command order by domain limit 1)
           union all
           select (select c.domain from command_bus_command c where c.domain > d.domain order by c.domain limit 1)
           from d where d.domain is not null)
         select domain from d where domain is not null`,
      )
      const domains = rows.map(row => row.domain)
      return byKey('c.domain = any ($1::text[]) and c.command_id = $2::uuid', [domains, commandId])
    },

    list: async (filter: CommandFilter) => {
      const limit = filter.limit ?? DEFAULT_LIMIT
      const filters = conditions()
      filters.add('domain = ?', filter.domain)
      filters.add('status = ?', filter.status)
      filters.add('command_type = ?', filter.commandType)
      filters.add('last_error_code = ?', filter.errorCode)
      filters.add('correlation_id = ?', filter.correlationId)
      filters.tenant('tenant_id', filter.tenantId)
      filters.add('created_at >= ?::timestamptz', filter.createdAfter)
      filters.add('created_at < ?::timestamptz', filter.createdBefore)
      if (filter.cursor !== undefined) {
        const { at, commandId, domain } = decodeCursor(filter.cursor)
        filters.add('(created_at, command_id, domain) < (?::timestamptz, ?::uuid, ?)', at, commandId, domain)
      }
      const { rows } = await pool.query(
        `select ${commandColumns('c')} from command_bus_command c where ${filters.where()}
         order by c.created_at desc, c.command_id desc, c.domain desc limit ${limit + 1}`,
        filters.values,
      )
      return page(rows, limit, viewOf, row => row.created_at)
    },

    listOwned: async (domain, filter) => {
      const limit = filter.limit ?? DEFAULT_LIMIT
      const filters = conditions()
      filters.add('domain = ?', domain)
      filters.add('owner_id = ?', filter.ownerId)
      filters.tenant('tenant_id', filter.tenantId)
      if (filter.progress !== undefined) filters.add(progressIs[filter.progress])
      if (filter.cursor !== undefined) {
        const { at, commandId, domain: last } = decodeCursor(filter.cursor)
        filters.add('(created_at, command_id, domain) < (?::timestamptz, ?::uuid, ?)', at, commandId, last)
      }
      const order = 'created_at desc, command_id desc, domain desc'
      const { rows } = await pool.query(
        `select ${commandColumns('c')}, ${cutColumns('answer', 'result')},
                jsonb_build_object('session_id', sent.data#>'{data,session_id}',
                                   'message_id', sent.data#>'{data,message_id}') as data
         from (select * from command_bus_command where ${filters.where()} order by ${order} limit ${limit + 1}) c
         ${joinSent} ${joinLast} ${joinCut(resultOf, 'answer')}
         order by c.created_at desc, c.command_id desc, c.domain desc`,
        filters.values,
      )
      return page(rows, limit, ownedOf, row => row.created_at)
    },

    auditTrail: async (domain, commandId, { eventType } = {}) => {
      const { rows } = await pool.query(
        `select ${auditColumns} from command_bus_audit a where a.stream = $1 and ($2::text is null or a.event_type = $2)
         order by a.revision, a.audit_id`,
        [commandStream({ domain, commandId }), eventType ?? null],
      )
      return rows.map(
        (row): AuditEntry => ({
          auditId: row.audit_id,
          domain: row.domain,
          commandId: row.command_id,
          eventType: row.event_type,
          ts: row.ts,
          actor: row.actor,
          revision: Number(row.revision),
          details: row.details_json,
        }),
      )
    },

    parked: async filter => {
      const limit = filter.limit ?? DEFAULT_LIMIT
      const total = parkedFilters(filter)
      const filters = parkedFilters(filter)
      if (filter.cursor !== undefined) {
        const { at, commandId, domain } = decodeCursor(filter.cursor)
        filters.add('(c.parked_at, c.command_id, c.domain) < (?::timestamptz, ?::uuid, ?)', at, commandId, domain)
      }
      const counting = pool.query(
        `select count(*)::int as total from command_bus_command c where ${total.where()}`,
        total.values,
      )
      const reading = pool.query(
        `select ${commandColumns('c')}, ${cutColumns('sent_data', 'payload')} from (
           select * from command_bus_command c where ${filters.where()}
           order by parked_at desc, command_id desc, domain desc limit ${limit + 1}) c
         ${joinSent} ${joinCut("sent.data->'data'", 'sent_data')}
         order by c.parked_at desc, c.command_id desc, c.domain desc`,
        filters.values,
      )
      const [counted, { rows }] = await Promise.all([counting, reading])
      return {
        ...page(rows, limit, itemOf, row => row.parked_at ?? row.created_at),
        total: counted.rows[0].total,
      }
    },

    parkedGroups: async filter => {
      const filters = parkedFilters(filter)
      // the sample is found by its key: messages are long, and sorting them would be most of the work
      const { rows } = await pool.query(
        `select g.*, sample.last_error_msg as sample from (
           select c.domain, c.command_type, c.last_error_code, count(*)::int as count, ${instant('min(c.parked_at)')} as first,
                  ${instant('max(c.parked_at)')} as last,
                  right(max(to_char(c.parked_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS') || c.command_id::text collate "C"), 36)::uuid as newest
           from command_bus_command c where ${filters.where()}
           group by c.domain, c.command_type, c.last_error_code) g
         left join command_bus_command sample on sample.domain = g.domain and sample.command_id = g.newest
         order by g.count desc, g.domain, g.command_type, g.last_error_code`,
        filters.values,
      )
      return rows.map(row => ({
        domain: row.domain,
        commandType: row.command_type,
        errorCode: row.last_error_code,
        count: row.count,
        first: row.first,
        last: row.last,
        sample: cutMessage(row.sample),
      }))
    },
  }
}

/** The user's words for a status, as conditions; see domain/operation/status.ts. */
const progressIs: Readonly<Record<OperationStatus, string>> = {
  pending: "status = 'PENDING' and total_attempts = 0",
  processing: "(status = 'IN_PROGRESS' or status = 'PENDING' and total_attempts > 0)",
  completed: "status = 'COMPLETED'",
  failed: "status in ('FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE')",
}

const parkedFilters = (filter: TroubleshootingFilter) => {
  const filters = conditions()
  filters.add("c.status = 'IN_TROUBLESHOOTING_QUEUE'")
  filters.add('c.domain = ?', filter.domain)
  filters.add('c.command_type = ?', filter.commandType)
  filters.add('c.last_error_code = ?', filter.errorCode)
  filters.tenant('c.tenant_id', filter.tenantId)
  filters.add('c.parked_at >= ?::timestamptz', filter.from)
  filters.add('c.parked_at < ?::timestamptz', filter.to)
  if (filter.q !== undefined) {
    const like = `%${filter.q.replace(/[\\%_]/g, '\\$&')}%`
    filters.add("concat_ws(' ', c.command_id::text, c.last_error_code, c.last_error_msg) ilike ?", like)
  }
  return filters
}

interface Keyed {
  readonly domain: string
  readonly command_id: string
}

const page = <Row extends Keyed, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  at: (row: Row) => string,
) => {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    items: shown.map(item),
    nextCursor:
      last === undefined ? null : encodeCursor({ at: at(last), domain: last.domain, commandId: last.command_id }),
  }
}

/** A row as `commandColumns` selects it: bigints as text. */
interface CommandTableRow extends Omit<CommandRow, 'revision'> {
  readonly msg_id: string | null
  readonly revision: string
}

export const viewOf = (row: CommandTableRow): CommandView => ({
  domain: row.domain,
  commandId: row.command_id,
  commandType: row.command_type,
  status: row.status,
  attempts: row.attempts,
  maxAttempts: row.max_attempts,
  totalAttempts: row.total_attempts,
  msgId: row.msg_id,
  queueName: row.queue_name,
  replyTo: row.reply_queue,
  correlationId: row.correlation_id,
  causationId: row.causation_id,
  tenantId: row.tenant_id,
  ownerId: row.owner_id,
  parentCommandId: row.parent_command_id,
  retryCount: row.retry_count,
  leaseExpiresAt: row.lease_expires_at,
  nextAttemptAt: row.next_attempt_at,
  parkedAt: row.parked_at,
  parkedReason: row.parked_reason,
  lastErrorType: row.last_error_type,
  lastErrorCode: row.last_error_code,
  lastErrorMsg: row.last_error_msg,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  revision: Number(row.revision),
})

const detailOf = (row: CommandTableRow & { readonly data: Json; readonly result: Json }): CommandDetail => ({
  ...viewOf(row),
  data: row.data ?? null,
  result: row.result ?? null,
})

const ownedOf = (row: CommandTableRow & { readonly data: Json }): OwnedItem => ({
  ...viewOf(row),
  data: row.data,
  ...cutFrom(row, 'result'),
})

const itemOf = (row: CommandTableRow): TroubleshootingItem => ({
  domain: row.domain,
  commandId: row.command_id,
  commandType: row.command_type,
  attempts: row.attempts,
  maxAttempts: row.max_attempts,
  parkedReason: row.parked_reason ?? '',
  lastErrorType: row.last_error_type,
  lastErrorCode: row.last_error_code,
  lastErrorMsg: row.last_error_msg,
  correlationId: row.correlation_id,
  replyTo: row.reply_queue,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  ...cutFrom(row, 'payload'),
})
