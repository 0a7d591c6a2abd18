import type { ClientBase } from 'pg'
import type { ScheduleWork } from '../../../application/ports/reading/schedule-queries.ts'
import { terminalStatuses } from '../../../domain/command/transitions.ts'
import { databaseTime, findSchedule } from './schedule-queries.ts'
import { PROGRESS } from './schedule-rows.ts'

/** On the connection that holds the lock, so that a process that has lost it writes nothing. */
export const createScheduleWork = (client: Pick<ClientBase, 'query'>): ScheduleWork => ({
  now: () => databaseTime(client),
  find: name => findSchedule(client, name),

  heads: async () => {
    const { rows } = await client.query<{ name: string; revision: string; after: number }>(
      `select s.name, s.revision,
         extract(epoch from greatest(s.counts_after, p.handled_until))::float8 * 1000 as after
       from command_bus_schedule s ${PROGRESS} where s.status = 'ACTIVE'`,
    )
    return rows.map(row => ({ name: row.name, revision: Number(row.revision), after: Math.round(row.after) }))
  },

  sent: async (domain, commandIds) => {
    const { rows } = await client.query<{ command_id: string; ended: boolean }>(
      `select command_id, status = any ($3::text[]) as ended from command_bus_command
       where domain = $1::text and command_id = any ($2::uuid[])`,
      [domain, commandIds, terminalStatuses],
    )
    return new Map(rows.map(({ command_id, ended }) => [command_id, { ended }]))
  },

  save: async (name, { incarnation, handledUntil, lastTime, lastCommandId, lastPassedOver }) => {
    await client.query(
      `insert into command_bus_schedule_progress as p
         (name, incarnation, handled_until, last_time, last_command_id, last_passed_over)
       values ($1::text, $2::int, $3::timestamptz, $4::timestamptz, $5::uuid, $6::timestamptz)
       on conflict (name) do update set incarnation = excluded.incarnation, handled_until = excluded.handled_until,
         last_time = excluded.last_time, last_command_id = excluded.last_command_id,
         last_passed_over = excluded.last_passed_over, updated_at = clock_timestamp()
       where p.incarnation < excluded.incarnation
         or p.incarnation = excluded.incarnation and p.handled_until < excluded.handled_until`,
      [name, incarnation, handledUntil, lastTime, lastCommandId, lastPassedOver],
    )
  },
})
