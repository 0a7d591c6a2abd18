import type { Work } from './work.ts'

/** What `--check` asks for, and what we would like to reach. */
export type Target = { readonly reach: number; readonly aim: number }

/** The ratio to raw of our own rate, at least. */
export const rateTargets: Readonly<Record<Work, Target>> = {
  'send-10': { reach: 0.75, aim: 0.9 },
  'send-100': { reach: 1.8, aim: 2.5 },
  'send-bulk': { reach: 0.33, aim: 0.42 },
  'work-10': { reach: 0.4, aim: 0.6 },
  'work-50': { reach: 0.45, aim: 0.7 },
}

/** How much longer than by hand it may take until a handler starts. */
export const latencyTargets = {
  p50: { reach: 1.4, aim: 1.2 },
  p99: { reach: 1.5, aim: 1.2 },
} as const satisfies Readonly<Record<string, Target>>

/** Of the rate with no events in the log, at least. */
export const leastOfEmptyLog = 0.9

/** How much the memory of a worker may grow, as a share of what it had when it was warm. */
export const mostMemoryGrowth = 0.1

/** The latency on a queue with waiting retries, as a multiple of that on an empty one, at most. */
export const mostOfEmptyQueue = 2

/** Events a second, at least. */
export const replayTargets = { fold: 1_000_000, rebuild: 30_000 } as const

/** Retries a second, at least, through the same checks as one retry, each with its own event, message and result. */
export const leastBulkRetries = 5_000

/** Of rows and messages behind a log in EventStoreDB, at most. */
export const mostLagP99Ms = 100

/** Of any page of the API with 1,000,000 commands, the first time and the median, in milliseconds, at most. */
export const mostPageMs = 200
