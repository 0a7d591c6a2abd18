import type { ScheduleProgress, StoredSchedule } from '../../../application/ports/reading/schedule-queries.ts'
import type { Priority } from '../../../domain/flow/priority.ts'
import type { Missed, Overlap } from '../../../domain/flow/schedule/due.ts'
import type { Json } from '../../../domain/json/json.ts'
import { columnsOf, instant } from '../connection/instant.ts'

export interface ProgressRow {
  readonly progress_of: number | null
  readonly handled_until: string
  readonly last_time: string | null
  readonly last_command_id: string | null
  readonly last_passed_over: string | null
}

export interface ScheduleRow extends ProgressRow {
  readonly name: string
  readonly status: 'ACTIVE' | 'PAUSED'
  readonly tenant_id: string | null
  readonly domain: string
  readonly command_type: string
  readonly data: Json
  readonly reply_to: string | null
  readonly priority: Priority
  readonly key: string | null
  readonly cron: string | null
  readonly time_zone: string
  readonly every_seconds: number | null
  readonly every_from: string
  readonly missed: Missed
  readonly max_missed: number
  readonly overlap: Overlap
  readonly incarnation: number
  readonly counts_after: string
  readonly created_at: string
  readonly created_by: string
  readonly set_at: string
  readonly set_by: string
  readonly paused_at: string | null
  readonly paused_by: string | null
  readonly pause_reason: string | null
}

const plain = [
  'name',
  'status',
  'tenant_id',
  'domain',
  'command_type',
  'reply_to',
  'priority',
  'key',
  'cron',
  'time_zone',
  'every_seconds',
  'missed',
  'max_missed',
  'overlap',
  'incarnation',
  'created_by',
  'set_by',
  'paused_by',
  'pause_reason',
]
const instants = ['every_from', 'counts_after', 'created_at', 'set_at', 'paused_at']

/** Of a progress `p`. */
export const progressColumns = `p.incarnation as progress_of, p.last_command_id,
  ${['handled_until', 'last_time', 'last_passed_over'].map(name => `${instant(`p.${name}`)} as ${name}`).join(', ')}`

/** The columns of a schedule `s` without its data, and of its progress `p`. */
export const scheduleColumns = `${columnsOf('s', plain, instants)}, ${progressColumns}`

export const PROGRESS = 'left join command_bus_schedule_progress p on p.name = s.name and p.incarnation = s.incarnation'

export const progressOf = (row: ProgressRow): ScheduleProgress | null =>
  row.progress_of === null
    ? null
    : {
        incarnation: row.progress_of,
        handledUntil: row.handled_until,
        lastTime: row.last_time,
        lastCommandId: row.last_command_id,
        lastPassedOver: row.last_passed_over,
      }

export const storedOf = (row: ScheduleRow): StoredSchedule => ({
  name: row.name,
  status: row.status,
  facts: {
    tenantId: row.tenant_id,
    domain: row.domain,
    commandType: row.command_type,
    data: row.data,
    replyTo: row.reply_to,
    priority: row.priority,
    key: row.key,
    cron: row.cron,
    timeZone: row.time_zone,
    everySeconds: row.every_seconds,
    everyFrom: row.every_from,
    missed: row.missed,
    maxMissed: row.max_missed,
    overlap: row.overlap,
    incarnation: row.incarnation,
    countsAfter: row.counts_after,
    createdAt: row.created_at,
    createdBy: row.created_by,
    setAt: row.set_at,
    setBy: row.set_by,
    pausedAt: row.paused_at,
    pausedBy: row.paused_by,
    pauseReason: row.pause_reason,
  },
  progress: progressOf(row),
})
