import { type Instant, instantAt } from '../../domain/instant.ts'

/** The only source of time and random numbers; tests use a controlled one. */
export interface Clock {
  /** The present instant. */
  readonly now: () => Date
  /** In [0, 1). */
  readonly random: () => number
}

export const systemClock: Clock = { now: () => new Date(), random: Math.random }

export const presentInstant = (clock: Pick<Clock, 'now'>): Instant => instantAt(clock.now().getTime())
