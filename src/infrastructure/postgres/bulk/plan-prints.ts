import type { Pool } from 'pg'
import type { ActionStore, PlanChange, Selection } from '../../../application/ports/action-store.ts'
import { transitions } from '../../../domain/command/transitions.ts'
import { commandIdIn, domainIn, ofCommands } from '../log/command-streams.ts'
import { tenantIs } from '../reading/conditions.ts'
import { chosenBy, PRINT } from './create-action.ts'

type Printed = Awaited<ReturnType<ActionStore['printOf']>>

/** The selection as it is now, in one statement. */
export const printOf = async (pool: Pool, selection: Selection, most: number): Promise<Printed> => {
  const { sql, values } = chosenBy(selection)
  const { rows } = await pool.query<Printed>(
    `with chosen as materialized (${sql})
     select ${PRINT} as print, pg_current_snapshot()::text as snapshot, count(*)::int as total,
            coalesce(json_agg(json_build_object('domain', domain, 'commandId', command_id) order by ordinal)
              filter (where ordinal <= $${values.length + 1}::int), '[]') as first
     from chosen`,
    [...values, most],
  )
  return rows[0] as Printed
}

const parking = Object.entries(transitions).flatMap(([type, { to }]) =>
  to === 'IN_TROUBLESHOOTING_QUEUE' ? [type] : [],
)

const SHOWN = 20

/**
 * What has changed in a selection since a snapshot: streams with events that were not committed then. `was` is what the
 * log said of them at that time. Only explains a refusal: the print alone decides.
 */
export const changesSince = async (
  pool: Pool,
  selection: Selection,
  snapshot: string,
): Promise<readonly PlanChange[]> => {
  const { sql, values } = chosenBy(selection)
  const n = values.length
  const { target } = selection
  const filter = 'filter' in target ? target.filter : {}
  const isNamed = 'ids' in target
  const { rows } = await pool.query<{ domain: string; command_id: string; change: PlanChange['change'] }>(
    `with chosen as (${sql}),
     changed as (
       select distinct stream from command_bus_event
       where xid >= pg_snapshot_xmin($${n + 1}::pg_snapshot) and not pg_visible_in_snapshot(xid, $${n + 1})
         and ${ofCommands('stream')}),
     compared as (
       select c.domain, c.command_id, c.command_type, was.type = any ($${n + 2}::text[]) as was_parked, parked.code,
              x.command_id is not null as is_chosen, x.command_id is not null and x.outcome is null as is_in
       from changed s
       join command_bus_command c on c.domain = ${domainIn('s.stream')} and c.command_id = ${commandIdIn('s.stream')}::uuid
         and ${tenantIs('$1', 'c.tenant_id')}
       left join chosen x on x.domain = c.domain and x.command_id = c.command_id
       left join lateral (
         select e.type from command_bus_event e
         where e.stream = s.stream and pg_visible_in_snapshot(e.xid, $${n + 1}) order by e.revision desc limit 1) was on true
       left join lateral (
         select e.data#>>'{error,code}' as code from command_bus_event e
         where e.stream = s.stream and pg_visible_in_snapshot(e.xid, $${n + 1}) and e.data#>>'{error,code}' is not null
         order by e.revision desc limit 1) parked on true)
     select domain, command_id, change from (
       select domain, command_id,
              case when is_in then case when was_parked then 'moved' else 'added' end
                   when was_parked then 'gone' end as change
       from compared
       where is_chosen
         or (not $${n + 3}::boolean
           and ($${n + 4}::text is null or domain = $${n + 4}) and ($${n + 5}::text is null or command_type = $${n + 5})
           and ($${n + 6}::text is null or code = $${n + 6}))) x
     where change is not null order by change, domain, command_id limit ${SHOWN}`,
    [
      ...values,
      snapshot,
      parking,
      isNamed,
      filter.domain ?? null,
      filter.commandType ?? null,
      filter.errorCode ?? null,
    ],
  )
  return rows.map(({ domain, command_id, change }) => ({ domain, commandId: command_id, change }))
}
