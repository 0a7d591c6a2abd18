import type { CauseCourse } from '../ports/reading/figures.ts'

/** Whether a problem grows. */
export type Trend = 'rises' | 'steady' | 'falls'

export interface Course {
  readonly last15: number
  readonly last10: number
  /** The last ten minutes beside the ten before. */
  readonly trend: Trend
  /** When the failures of now began: after 15 minutes without one, or when the first was ever seen. */
  readonly since: string
}

const MINUTE_MS = 60_000
const QUARTER_MS = 15 * MINUTE_MS
const QUIET_MINUTES = 15
/** So many more, or fewer, are a change. */
const FACTOR = 1.5
const FEWEST = 3

const sum = (counts: readonly number[]): number => counts.reduce((all, n) => all + n, 0)

/** Adds counts of the same buckets. */
const together = (courses: readonly (readonly number[])[]): readonly number[] =>
  (courses[0] ?? []).map((_, i) => sum(courses.map(course => course[i] ?? 0)))

/** The index of the first bucket of the last run, which ends at `quiet` empty ones; -1: nothing is in any bucket. */
const startOf = (counts: readonly number[], quiet: number): number => {
  let start = -1
  let empty = 0
  for (let i = counts.length - 1; i >= 0; i--) {
    if ((counts[i] ?? 0) > 0) {
      start = i
      empty = 0
    } else if (start !== -1 && ++empty >= quiet) break
  }
  return start
}

const trendOf = (now: number, before: number): Trend => {
  if (now >= FEWEST && now > before * FACTOR) return 'rises'
  return now * FACTOR < before ? 'falls' : 'steady'
}

/** How failures with one code have gone on, over all types they were seen in. */
export const courseOf = (at: string, causes: readonly CauseCourse[]): Course => {
  const minutes = together(causes.map(cause => cause.minutes))
  const quarters = together(causes.map(cause => cause.quarters))
  const last10 = sum(minutes.slice(-10))
  return {
    last15: sum(minutes.slice(-15)),
    last10,
    trend: trendOf(last10, sum(minutes.slice(-20, -10))),
    since: sinceOf(at, causes, minutes, quarters),
  }
}

const sinceOf = (
  at: string,
  causes: readonly CauseCourse[],
  minutes: readonly number[],
  quarters: readonly number[],
): string => {
  const now = Date.parse(at)
  const beginning = (length: number, index: number, ms: number): number =>
    Math.floor(now / ms) * ms - (length - 1 - index) * ms
  const first = Math.min(...causes.map(cause => Date.parse(cause.first)))
  const minute = startOf(minutes, QUIET_MINUTES)
  // a run that is older than the minutes that are known is followed in quarters of an hour
  const began =
    minute >= QUIET_MINUTES || minute === -1
      ? beginning(minutes.length, minute, MINUTE_MS)
      : beginning(quarters.length, startOf(quarters, 1), QUARTER_MS)
  return new Date(Math.max(began, first)).toISOString()
}
