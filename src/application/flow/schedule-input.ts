import { isLeft } from 'fp-ts/lib/Either.js'
import { type Priority, priorities } from '../../domain/flow/priority.ts'
import { MAX_MISSED, type Missed, missedRules, type Overlap, overlapRules } from '../../domain/flow/schedule/due.ts'
import type { ScheduleSettings } from '../../domain/flow/schedule/events.ts'
import { parseScheduleName } from '../../domain/flow/schedule/names.ts'
import { everyTimes, type NextTime } from '../../domain/flow/schedule/times.ts'
import { YEAR_SECONDS } from '../../domain/instant.ts'
import type { CronTimes } from '../ports/cron-times.ts'
import { MAX_KEY } from '../sending/flow-options.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { commandTypeOf, domainOf, jsonOf, oneOf, optional, replyQueueOf, textOf, wholeOf } from '../shared/input.ts'

/** What a schedule sends and when. One of `cron` and `everySeconds` is required. */
export interface NewSchedule {
  readonly domain: string
  readonly commandType: string
  /** Any JSON value up to 1 MiB. */
  readonly data: unknown
  /** Five fields (minute, hour, day of the month, month, day of the week), or six with the second first. */
  readonly cron?: string
  /** The IANA time zone of `cron`. Default `UTC`. */
  readonly timeZone?: string
  /** A time every so many seconds, counted from when this was set: 1 to 31,536,000. */
  readonly everySeconds?: number
  /**
   * What happens when the first of the times that wait is more than a minute old, as no process was there to send it: `skip`
   * (default) sends none of those that wait, `once` one command for the last of them, `all` one for each.
   */
  readonly missed?: Missed
  /** With `all`: at most so many, the last ones; 1 to 1,000, default 100. */
  readonly maxMissed?: number
  /** `skip`: a time is passed over while the command of the time before has not ended. Default `allow`. */
  readonly overlap?: Overlap
  /** The queue for the replies. Default: no replies. */
  readonly replyTo?: string
  /** Of its commands. Default `normal`. */
  readonly priority?: Priority
  /** The lane of its commands, 1-200 characters. Default: none. */
  readonly key?: string
}

const DEFAULT_MAX_MISSED = 100
const LONGEST_CRON = 500

/** @throws InvalidInputError */
export const scheduleNameOf = (value: unknown): string => {
  const parsed = parseScheduleName(textOf(value, 'name'))
  if (isLeft(parsed)) throw new InvalidInputError('name', parsed.left)
  return parsed.right
}

/** Checks the settings and fills in what was left out. @throws InvalidInputError */
export const scheduleSettingsOf = (given: NewSchedule, cronTimes: CronTimes): ScheduleSettings => {
  if (typeof given !== 'object' || given === null)
    throw new InvalidInputError('schedule', 'must say what to send and when, as in { domain, commandType, data, cron }')
  const cron = optional(given.cron, value => textOf(value, 'cron', LONGEST_CRON).trim())
  const everySeconds = optional(given.everySeconds, value => wholeOf(value, 'everySeconds', 1, YEAR_SECONDS))
  if ((cron === null) === (everySeconds === null)) {
    const fault = cron === null ? 'give cron, or everySeconds' : 'give either cron or everySeconds, not both'
    throw new InvalidInputError('cron', fault)
  }
  const settings: ScheduleSettings = {
    domain: domainOf(given.domain),
    commandType: commandTypeOf(given.commandType),
    data: jsonOf(given.data),
    replyTo: optional(given.replyTo, value => replyQueueOf(value)),
    priority: optional(given.priority, value => oneOf(priorities, value, 'priority')) ?? 'normal',
    key: optional(given.key, value => textOf(value, 'key', MAX_KEY)),
    cron,
    timeZone: optional(given.timeZone, value => textOf(value, 'timeZone', 100)) ?? 'UTC',
    everySeconds,
    missed: optional(given.missed, value => oneOf(missedRules, value, 'missed')) ?? 'skip',
    maxMissed: optional(given.maxMissed, value => wholeOf(value, 'maxMissed', 1, MAX_MISSED)) ?? DEFAULT_MAX_MISSED,
    overlap: optional(given.overlap, value => oneOf(overlapRules, value, 'overlap')) ?? 'allow',
  }
  if (cron === null) {
    if (given.timeZone !== undefined && given.timeZone !== null)
      throw new InvalidInputError('timeZone', 'is for cron: leave it out with everySeconds')
    return settings
  }
  const times = cronTimes(cron, settings.timeZone)
  if (isLeft(times)) throw new InvalidInputError(times.left.field, times.left.fault)
  return settings
}

/** The times of a schedule; none where this machine does not know its time zone. */
export const timesOf = (
  { cron, timeZone, everySeconds, everyFrom }: ScheduleSettings & { readonly everyFrom: string },
  cronTimes: CronTimes,
): NextTime => {
  if (cron === null) return everyTimes(everySeconds ?? YEAR_SECONDS, Date.parse(everyFrom))
  const times = cronTimes(cron, timeZone)
  return isLeft(times) ? () => null : times.right
}
