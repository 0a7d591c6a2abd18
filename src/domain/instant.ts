/** ISO 8601 with milliseconds, UTC. */
export type Instant = string
