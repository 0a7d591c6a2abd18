import type { ScheduleChanged, ScheduleCreated, ScheduleEvent } from '../domain/flow/schedule/events.ts'
import type { Columns, RowWrite } from './row-write.ts'

/** One row for each name that was ever used: its last schedule. */
export const scheduleRows = (name: string, revision: number, event: ScheduleEvent): readonly RowWrite[] => [
  {
    table: 'command_bus_schedule',
    kind: event.type === 'ScheduleCreated' ? 'put' : 'patch',
    row: { name, revision, ...columnsOf(event) },
  },
]

const columnsOf = (event: ScheduleEvent): Columns => {
  switch (event.type) {
    case 'ScheduleCreated':
      return {
        ...settings(event),
        status: 'ACTIVE',
        tenant_id: event.tenantId,
        incarnation: event.incarnation,
        created_at: event.at,
        created_by: event.actor,
        ...notPaused,
      }
    case 'ScheduleChanged':
      return settings(event)
    case 'SchedulePaused':
      return { status: 'PAUSED', paused_at: event.at, paused_by: event.actor, pause_reason: event.reason }
    case 'ScheduleResumed':
      return { status: 'ACTIVE', counts_after: event.at, ...notPaused }
    case 'ScheduleDeleted':
      return { status: 'DELETED' }
  }
}

const notPaused: Columns = { paused_at: null, paused_by: null, pause_reason: null }

const settings = (event: ScheduleCreated | ScheduleChanged): Columns => ({
  domain: event.domain,
  command_type: event.commandType,
  data: event.data,
  reply_to: event.replyTo,
  priority: event.priority,
  key: event.key,
  cron: event.cron,
  time_zone: event.timeZone,
  every_seconds: event.everySeconds,
  every_from: event.everyFrom,
  missed: event.missed,
  max_missed: event.maxMissed,
  overlap: event.overlap,
  counts_after: event.at,
  set_at: event.at,
  set_by: event.actor,
})
