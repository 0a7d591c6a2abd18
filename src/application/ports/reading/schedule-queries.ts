import type { ScheduleFacts } from '../../../domain/flow/schedule/schedule.ts'
import type { Page } from './command-queries.ts'

/** How far the times of a schedule are handled. Times are ISO 8601. */
export interface ScheduleProgress {
  /** The incarnation of the schedule that it is about. */
  readonly incarnation: number
  /** Every time up to here was sent or passed over. */
  readonly handledUntil: string
  /** The last time that was sent, and the id of its command. */
  readonly lastTime: string | null
  readonly lastCommandId: string | null
  /** The last time that was passed over: missed, or while the command of the time before had not ended. */
  readonly lastPassedOver: string | null
}

export interface StoredSchedule {
  readonly name: string
  readonly status: 'ACTIVE' | 'PAUSED'
  readonly facts: ScheduleFacts
  readonly progress: ScheduleProgress | null
}

/** What says when the next time of an active schedule comes. */
export interface ScheduleHead {
  readonly name: string
  /** Of the schedule's row; with each change it is another. */
  readonly revision: number
  /** Times up to here are handled or do not count, in milliseconds since 1970. */
  readonly after: number
}

/** Which schedules `schedules.list` returns. */
export interface ScheduleFilter {
  readonly domain?: string
  readonly tenantId?: string
  /** 1-500, default 100. */
  readonly limit?: number
  readonly cursor?: string
}

export interface ListedSchedule extends StoredSchedule {
  readonly facts: ScheduleFacts & { readonly dataBytes?: number; readonly dataPreview?: string }
}

export interface ScheduleQueries {
  /** The database's clock, in milliseconds since 1970. */
  readonly now: () => Promise<number>
  /** Schedules that are not deleted. */
  readonly find: (name: string) => Promise<StoredSchedule | null>
  /** By name; data larger than 4 KiB is null, with its size and beginning beside it. */
  readonly list: (filter: ScheduleFilter) => Promise<Page<ListedSchedule>>
  readonly progress: (name: string) => Promise<ScheduleProgress | null>
}

/** What the one process that sends the commands of times reads and writes. */
export interface ScheduleWork {
  readonly now: () => Promise<number>
  readonly find: (name: string) => Promise<StoredSchedule | null>
  /** All active schedules. */
  readonly heads: () => Promise<readonly ScheduleHead[]>
  /** Which of these commands of a domain were sent, and whether they have ended. */
  readonly sent: (
    domain: string,
    commandIds: readonly string[],
  ) => Promise<ReadonlyMap<string, { readonly ended: boolean }>>
  /** Never moves `handledUntil` of an incarnation back. */
  readonly save: (name: string, progress: ScheduleProgress) => Promise<void>
}
