/** ISO 8601 with milliseconds, UTC. */
export type Instant = string

/** The longest delay, in seconds: a year. */
export const MAX_DELAY_SECONDS = 31_536_000
