import type { Clock } from '../../application/ports/clock.ts'

/** A clock that stands still until it is moved. */
export interface TestClock extends Clock {
  /** In milliseconds since 1970. */
  readonly ms: () => number
  readonly moveTo: (ms: number) => void
}

/** @param random in [0, 1); with 0 the waits before retries have no jitter */
export const createTestClock = (start: Date, random: () => number = () => 0): TestClock => {
  let ms = start.getTime()
  return {
    ms: () => ms,
    now: () => new Date(ms),
    random,
    moveTo: to => {
      ms = Math.max(ms, to)
    },
  }
}
