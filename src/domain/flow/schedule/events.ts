import type { Instant } from '../../instant.ts'
import type { Json } from '../../json/json.ts'
import type { Priority } from '../priority.ts'
import type { Missed, Overlap } from './due.ts'

interface Fact {
  readonly at: Instant
  readonly actor: string
}

/** What is sent and when. One of `cron` and `everySeconds` is null. */
export interface ScheduleSettings {
  readonly domain: string
  readonly commandType: string
  readonly data: Json
  readonly replyTo: string | null
  readonly priority: Priority
  /** The lane of its commands. */
  readonly key: string | null
  readonly cron: string | null
  /** The IANA time zone in which `cron` is read. */
  readonly timeZone: string
  readonly everySeconds: number | null
  readonly missed: Missed
  readonly maxMissed: number
  readonly overlap: Overlap
}

interface Set extends Fact, ScheduleSettings {
  /** With `everySeconds`: the times are counted from here. */
  readonly everyFrom: Instant
}

export interface ScheduleCreated extends Set {
  readonly type: 'ScheduleCreated'
  readonly tenantId: string | null
  /** How often a schedule of this name was created: a name that was deleted may be used again. */
  readonly incarnation: number
}

/** From its instant on the new times count; what was not sent before it is not sent any more. */
export interface ScheduleChanged extends Set {
  readonly type: 'ScheduleChanged'
}

export interface SchedulePaused extends Fact {
  readonly type: 'SchedulePaused'
  readonly reason: string
}

/** From its instant on the times count again. */
export interface ScheduleResumed extends Fact {
  readonly type: 'ScheduleResumed'
}

export interface ScheduleDeleted extends Fact {
  readonly type: 'ScheduleDeleted'
}

export type ScheduleEvent = ScheduleCreated | ScheduleChanged | SchedulePaused | ScheduleResumed | ScheduleDeleted
