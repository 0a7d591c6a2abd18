/** The longest wait of a buffered message for its handler, estimated from the recent handlers. */
const HORIZON_MS = 20
const MAX_AHEAD = 200
const WEIGHT = 0.05

export interface Prefetch {
  readonly observe: (handlerMs: number) => void
  /** Messages worth reading beyond the free slots. */
  readonly ahead: () => number
}

/**
 * How many messages to read ahead: none with slow handlers; with quick ones, as many as the slots finish within the horizon.
 * Each read counts as an attempt, so a worker that dies costs every message it holds an attempt.
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
