import type { Instant } from '../../domain/instant.ts'

/** The only source of time and random numbers; tests use a controlled one. */
export interface Clock {
  /** The present instant. */
  readonly now: () => Date
  /** In [0, 1). */
  readonly random: () => number
}

export const systemClock: Clock = { now: () => new Date(), random: Math.random }

let latest: { readonly ms: number; readonly instant: Instant } = { ms: Number.NaN, instant: '' }

/**
 * `clock.now()` as text, for what is done for each command. The latest text is kept: to write one takes half a microsecond, and a
 * batch asks dozens of times within a millisecond.
 */
export const presentInstant = (clock: Pick<Clock, 'now'>): Instant => {
  const now = clock.now()
  const ms = now.getTime()
  if (ms !== latest.ms) latest = { ms, instant: now.toISOString() }
  return latest.instant
}
