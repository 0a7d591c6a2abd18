import type { Either } from 'fp-ts/lib/Either.js'
import type { NextTime } from '../../domain/flow/schedule/times.ts'

export interface CronFault {
  readonly field: 'cron' | 'timeZone'
  /** One sentence, with the place in a cron. */
  readonly fault: string
}

/**
 * The times of a cron of five fields, or six with seconds, in an IANA time zone. Where clocks are changed: a cron of fixed
 * minutes and hours comes once a day all the same, at the first instant after a time that does not exist, and at the first of
 * two equal times. A cron with `*` or a step in its minutes or hours follows the real time: it passes over what does not exist, and
 * comes at both of two equal times.
 */
export type CronTimes = (cron: string, timeZone: string) => Either<CronFault, NextTime>
