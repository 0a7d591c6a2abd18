import type { Pool } from 'pg'
import type { AuditEntry, CommandDetail, CommandQueries } from '../../../application/ports/reading/command-queries.ts'
import { commandStream } from '../../../domain/command/names.ts'
import { columnsOf } from '../connection/instant.ts'
import { joinLast, joinSent, resultOf, wholeColumns } from './command-columns.ts'
import { createCommandLists } from './command-lists.ts'
import { cutObject } from './cut-json.ts'
import { commandIdIs } from './domains.ts'
import { createParkedLists } from './parked-lists.ts'

/** Queries of commands on PostgreSQL. A page begins at the key where the last one ended, so late pages cost no more. */
export const createCommandQueries = (pool: Pool): CommandQueries => ({
  ...createCommandLists(pool),
  ...createParkedLists(pool),

  get: async (domain, commandId) =>
    (await byKey(pool, 'c.domain = $1 and c.command_id = $2::uuid', [domain, commandId]))[0] ?? null,

  find: commandId => byKey(pool, commandIdIs('c', '$1::uuid'), [commandId]),

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
})

const byKey = async (pool: Pool, where: string, values: unknown[]): Promise<readonly CommandDetail[]> => {
  const { rows } = await pool.query<Required<CommandDetail> & { readonly place: number | null }>(
    `select ${wholeColumns('c')}, sent.data->'data' as data, ${resultOf} as result, ${placeInLane}
     from command_bus_command c ${joinSent} ${joinLast} ${joinLane} where ${where} order by c.domain`,
    values,
  )
  return rows.map(({ place, waitsFor, ...command }) => (place === null ? command : { ...command, place, waitsFor }))
}

const MOST_PLACES = 10_000

/** A command without a lane costs no look at its table. */
const joinLane = `left join lateral (
  select e.domain, e.lane, e.place from command_bus_lane_entry e
  where c.lane is not null and e.domain = c.domain and e.command_id = c.command_id and e.state = 'waiting' offset 0) w on true`

const placeInLane = `
  case when w.place is not null then (select count(*)::int from (
    select from command_bus_lane_entry e
    where e.domain = w.domain and e.lane = w.lane and e.state = 'waiting' and e.place <= w.place limit ${MOST_PLACES}) before) end as place,
  case when w.place is not null then (
    select case when f.tenant_id is not distinct from c.tenant_id then f.command_id end from (
      select e.command_id from command_bus_lane_entry e
      where e.domain = w.domain and e.lane = w.lane and e.state in ('admitted', 'parked') order by e.place limit 1) first
    join command_bus_command f on f.domain = c.domain and f.command_id = first.command_id) end as "waitsFor"`

const auditColumns = `${columnsOf(
  'a',
  ['audit_id', 'domain', 'command_id', 'event_type', 'actor', 'revision'],
  ['ts'],
)}, ${cutObject('a.details_json')} as details_json`
