/** A buffered message waits this long at the most before its handler starts, going by what handlers took lately. */
const HORIZON_MS = 20
const MAX_AHEAD = 200
const WEIGHT = 0.05

export interface Prefetch {
  readonly observe: (handlerMs: number) => void
  /** Messages worth reading beyond the free slots. */
  readonly ahead: () => number
}

/**
 * How far to read ahead. A read message is a counted attempt, so a worker that dies costs each message it holds one
 * attempt: with slow handlers nothing is read ahead, with quick ones what the slots finish within the horizon.
 */
export const createPrefetch = (concurrency: number): Prefetch => {
  let averageMs = Number.POSITIVE_INFINITY
  return {
    observe: ms => {
      averageMs = averageMs === Number.POSITIVE_INFINITY ? ms : averageMs + (ms - averageMs) * WEIGHT
    },
    ahead: () => Math.min(MAX_AHEAD, Math.floor((concurrency * HORIZON_MS) / Math.max(averageMs, 0.05))),
  }
}
