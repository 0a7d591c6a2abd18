/** ISO 8601 with milliseconds, UTC. */
export type Instant = string

/** A year: the longest delay, and the longest interval of a schedule. */
export const YEAR_SECONDS = 31_536_000
