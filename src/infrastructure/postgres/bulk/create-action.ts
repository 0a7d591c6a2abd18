import type { Pool } from 'pg'
import type { NewAction, Selection } from '../../../application/ports/action-store.ts'
import { exactInstant } from '../connection/instant.ts'
import { inTransaction, withClient } from '../connection/with-client.ts'
import { tenantIs } from '../reading/conditions.ts'
import { frameOf } from '../reading/open-commands.ts'
import { type ActionRow, actionColumns, PIECE } from './action-rows.ts'

interface Chosen {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** Oldest first: what has waited longest is done first, and is the canary. */
const ORDER = 'c.parked_at, c.domain, c.command_id'

/** SQL: of a filter. */
const MATCHES = `
  c.status = 'IN_TROUBLESHOOTING_QUEUE'
    and ${tenantIs('$1', 'c.tenant_id')}
    and ($2::text is null or c.domain = $2)
    and ($3::text is null or c.command_type = $3)
    and ($4::text is null or c.last_error_code = $4)
    and ($5::timestamptz is null or c.parked_at >= $5)
    and ($6::timestamptz is null or c.parked_at < $6)
    and ($7::text is null or ${frameOf('c')} = $7)`

const ofFilter = `
         c.domain, c.command_id, c.revision, c.last_error_code as error_code, null::text as outcome, null::text as message`

const chosenByFilter = `
  select row_number() over (order by ${ORDER})::int as ordinal, ${ofFilter}
  from command_bus_command c where ${MATCHES}`

/** In the order of the ids; a command that cannot be taken in gets its outcome at once. */
const chosenById = `
  select i.ordinal::int, i.domain, i.command_id, c.revision, c.last_error_code as error_code,
         case when c.command_id is null then 'FAILED'
              when c.parked_at is null then 'SKIPPED' end as outcome,
         case when c.command_id is null then format('no command %s in domain ''%s''', i.command_id, i.domain)
              when c.parked_at is null then
                format('command %s is %s, not in troubleshooting: only parked commands can be operated on',
                       i.command_id, c.status) end as message
  from unnest($2::text[], $3::uuid[]) with ordinality i(domain, command_id, ordinal)
  left join command_bus_command c
    on c.domain = i.domain and c.command_id = i.command_id and ${tenantIs('$1', 'c.tenant_id')}`

/** SQL and its first parameters: the commands of a selection, as they are now. */
export const chosenBy = ({ target, tenantId }: Selection): Chosen =>
  'filter' in target
    ? {
        sql: chosenByFilter,
        values: [
          tenantId,
          target.filter.domain ?? null,
          target.filter.commandType ?? null,
          target.filter.errorCode ?? null,
          target.filter.from ?? null,
          target.filter.to ?? null,
          target.filter.frame ?? null,
        ],
      }
    : {
        sql: chosenById,
        values: [tenantId, target.ids.map(key => key.domain), target.ids.map(key => key.commandId)],
      }

/** SQL: one hash for the commands of `chosen` and their revisions. */
export const PRINT = `
  encode(substr(sha256(convert_to(coalesce(string_agg(
    domain || ' ' || command_id || ' ' || coalesce(revision::text, '-'), ',' order by ordinal), ''), 'UTF8')), 1, 16), 'hex')`

const ITEM = 'action_id, ordinal, domain, command_id, revision, error_code, outcome, message'

/** SQL: writes the action itself. `from` has the numbers of its items as `total`, `failed` and `skipped`. */
const actionOf = (from: string, n: number): string => `
  insert into command_bus_action (
    id, action, criteria, canary, details, campaign, exact, operator, changed_by, tenant_id, status, cut_off, total,
    failed, skipped, created_at, updated_at, starts_at, tokens_at)
  select $${n + 1}::uuid, $${n + 2}::text, $${n + 3}::jsonb, $${n + 4}::int, $${n + 5}::jsonb, $${n + 6}::jsonb,
         $${n + 9}::text is not null, $${n + 7}::text, $${n + 7}, $1::text,
         case when total = failed + skipped then 'COMPLETED' when $${n + 4} is null then 'RUNNING' else 'WAITING_FOR_CANARY' end,
         statement_timestamp(), total, failed, skipped, statement_timestamp(), statement_timestamp(),
         statement_timestamp() + nullif($${n + 8}::float8, 0) * interval '1 second',
         statement_timestamp() + $${n + 8} * interval '1 second'
  from ${from}
  returning ${actionColumns}`

/**
 * Writes an action on named commands and its items in one statement. With a print it writes nothing unless that is what the statement
 * sees, so that nothing can change in between.
 */
const statement = (chosen: string, n: number): string => `
  with chosen as materialized (${chosen}),
  verdict as (select $${n + 9}::text is null or (select ${PRINT} from chosen) = $${n + 9} as fits),
  frozen as (
    insert into command_bus_action_item (${ITEM})
    select $${n + 1}::uuid, ordinal, domain, command_id, revision, error_code, outcome, message
    from chosen, verdict where fits order by ordinal
    returning outcome),
  counted as (
    select count(*)::int as total, count(*) filter (where outcome = 'FAILED')::int as failed,
           count(*) filter (where outcome = 'SKIPPED')::int as skipped
    from frozen)
  ${actionOf('counted, verdict where fits', n)}`

interface Piece {
  readonly count: number
  readonly at: string
  readonly domain: string
  readonly id: string
}

const pieceStatement = (n: number): string => `
  with chosen as materialized (
    select c.parked_at, ${ofFilter}
    from command_bus_command c
    where ${MATCHES} and ($${n + 3}::timestamptz is null or (${ORDER}) > ($${n + 3}, $${n + 4}::text collate "C", $${n + 5}::uuid))
    order by ${ORDER} limit ${PIECE}),
  frozen as (
    insert into command_bus_action_item (${ITEM})
    select $${n + 1}::uuid, $${n + 2}::int + row_number() over (order by ${ORDER}), domain, command_id, revision, error_code, outcome, message
    from chosen c order by ${ORDER})
  select count(*) over ()::int as count, ${exactInstant('c.parked_at')} as at, c.domain, c.command_id as id
  from chosen c order by c.parked_at desc, c.domain desc, c.command_id desc limit 1`

/**
 * Writes an action on all that matches a filter, and its items in pieces, all of one instant: it takes in what is parked when the
 * transaction begins, not what the instants in the rows say, which are from clocks that may be wrong. With a print it writes nothing
 * unless that is what it sees.
 */
const insertByFilter = (
  pool: Pool,
  { sql, values }: Chosen,
  parameters: readonly unknown[],
  action: NewAction,
  print: string | null,
): Promise<ActionRow | null> =>
  withClient(pool, client =>
    inTransaction(
      client,
      async () => {
        const seen = print === null ? 'null' : `(select ${PRINT} from (${sql}) chosen)`
        const { rows: counts } = await client.query<{ total: number; print: string | null }>(
          `select count(*)::int as total, ${seen} as print from command_bus_command c where ${MATCHES}`,
          [...values],
        )
        if ((counts[0]?.print ?? null) !== print) return null
        const { id, undoSeconds } = action
        const { total = 0 } = counts[0] ?? {}
        await client.query(actionOf(`(select ${total} as total, 0 as failed, 0 as skipped) counted`, 1), [
          action.tenantId,
          ...parameters,
        ])
        for (let done = 0, last: Piece | undefined; done < total; done += last.count) {
          const after = [last?.at ?? null, last?.domain ?? null, last?.id ?? null]
          const { rows } = await client.query<Piece>(pieceStatement(values.length), [...values, id, done, ...after])
          last = rows[0]
          if (last === undefined) throw new Error(`action ${id} has ${done} of its ${total} commands`)
        }
        // it begins when all of them are there
        const { rows } = await client.query<ActionRow>(
          `update command_bus_action set starts_at = statement_timestamp() + nullif($2::float8, 0) * interval '1 second',
             tokens_at = statement_timestamp() + $2 * interval '1 second'
           where id = $1::uuid returning ${actionColumns}`,
          [id, undoSeconds],
        )
        return rows[0] ?? null
      },
      'begin isolation level repeatable read',
    ),
  )

/** Writes the action and its items; null if an action of this id exists, or the selection has another print. */
export const insertAction = async (pool: Pool, action: NewAction, print: string | null): Promise<ActionRow | null> => {
  const { action: name, ...details } = action.details
  const { target } = action
  const chosen = chosenBy(action)
  const parameters = [
    action.id,
    name,
    JSON.stringify('filter' in target ? { filter: target.filter } : { ids: target.ids.length }),
    action.canary,
    JSON.stringify(details),
    JSON.stringify(action.campaign),
    action.operator,
    action.undoSeconds,
    print,
  ]
  try {
    if ('filter' in target) return await insertByFilter(pool, chosen, parameters, action, print)
    const { sql, values } = chosen
    const { rows } = await pool.query<ActionRow>(statement(sql, values.length), [...values, ...parameters])
    return rows[0] ?? null
  } catch (error) {
    if (isOwnEarlierTry(error)) return null
    throw error
  }
}

/** The id is new for every request: an action of this id was written by the same call, before its connection broke. */
const isOwnEarlierTry = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '23505'
