import type { Pool } from 'pg'
import type { NewAction } from '../../../application/ports/action-store.ts'
import { tenantIs } from '../reading/conditions.ts'
import { frameOf } from '../reading/open-commands.ts'
import { type ActionRow, actionColumns } from './action-rows.ts'

/**
 * Writes an action and its items in one statement; `frozen` is the part that writes the items. The action takes in what is
 * parked when the statement begins, not what the instants in the rows say: those are from clocks that may be wrong.
 */
const statement = (frozen: string): string => `
  with frozen as (${frozen} returning outcome),
  counted as (
    select count(*)::int as total, count(*) filter (where outcome = 'FAILED')::int as failed,
           count(*) filter (where outcome = 'SKIPPED')::int as skipped
    from frozen)
  insert into command_bus_action (
    id, action, criteria, canary, details, operator, tenant_id, status, cut_off, total,
    failed, skipped, created_at, updated_at)
  select $1::uuid, $3::text, $4::jsonb, $5::int, $6::jsonb, $7::text, $2::text,
         case when total = failed + skipped then 'COMPLETED' when $5 is null then 'RUNNING' else 'WAITING_FOR_CANARY' end,
         statement_timestamp(), total, failed, skipped, statement_timestamp(), statement_timestamp()
  from counted
  returning ${actionColumns}`

/** Oldest first: what has waited longest is done first, and is the canary. */
const frozenByFilter = `
  insert into command_bus_action_item (action_id, ordinal, domain, command_id, revision)
  select $1::uuid, row_number() over (order by c.parked_at, c.domain, c.command_id), c.domain, c.command_id, c.revision
  from command_bus_command c
  where c.status = 'IN_TROUBLESHOOTING_QUEUE'
    and ${tenantIs('$2', 'c.tenant_id')}
    and ($8::text is null or c.domain = $8)
    and ($9::text is null or c.command_type = $9)
    and ($10::text is null or c.last_error_code = $10)
    and ($11::timestamptz is null or c.parked_at >= $11)
    and ($12::timestamptz is null or c.parked_at < $12)
    and ($13::text is null or ${frameOf('c')} = $13)
  order by c.parked_at, c.domain, c.command_id`

/** In the order of the ids; a command that cannot be taken in gets its outcome at once. */
const frozenById = `
  insert into command_bus_action_item (action_id, ordinal, domain, command_id, revision, outcome, message)
  select $1::uuid, i.ordinal, i.domain, i.command_id, c.revision,
         case when c.command_id is null then 'FAILED'
              when c.parked_at is null then 'SKIPPED' end,
         case when c.command_id is null then format('no command %s in domain ''%s''', i.command_id, i.domain)
              when c.parked_at is null then
                format('command %s is %s, not in troubleshooting: only parked commands can be operated on',
                       i.command_id, c.status) end
  from unnest($8::text[], $9::uuid[]) with ordinality i(domain, command_id, ordinal)
  left join command_bus_command c
    on c.domain = i.domain and c.command_id = i.command_id and ${tenantIs('$2', 'c.tenant_id')}
  order by i.ordinal`

const byFilter = statement(frozenByFilter)
const byId = statement(frozenById)

/** Writes the action and its items; null if an action of this id exists. */
export const insertAction = async (pool: Pool, action: NewAction): Promise<ActionRow | null> => {
  const { target } = action
  const { action: name, ...details } = action.details
  const criteria = 'filter' in target ? { filter: target.filter } : { ids: target.ids.length }
  const shared = [
    action.id,
    action.tenantId,
    name,
    JSON.stringify(criteria),
    action.canary,
    JSON.stringify(details),
    action.operator,
  ]
  const own =
    'filter' in target
      ? [
          target.filter.domain ?? null,
          target.filter.commandType ?? null,
          target.filter.errorCode ?? null,
          target.filter.from ?? null,
          target.filter.to ?? null,
          target.filter.frame ?? null,
        ]
      : [target.ids.map(key => key.domain), target.ids.map(key => key.commandId)]
  try {
    const { rows } = await pool.query('filter' in target ? byFilter : byId, [...shared, ...own])
    return rows[0] as ActionRow
  } catch (error) {
    if (isOwnEarlierTry(error)) return null
    throw error
  }
}

/** The id is new for every request: an action of this id was written by the same call, before its connection broke. */
const isOwnEarlierTry = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '23505'
