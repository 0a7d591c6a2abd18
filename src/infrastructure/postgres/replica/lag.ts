/** How old what a replica shows may be, if nobody says otherwise. */
export const USUAL_LAG_MS = 10_000

const LEAST_MS = 1_000
/** For so long after an action the console reads from the primary (web/src/api/client.ts). */
const MOST_MS = 60_000

export const isLag = (ms: number): boolean => Number.isInteger(ms) && ms >= LEAST_MS && ms <= MOST_MS

export const lagForm = `a whole number of milliseconds from ${LEAST_MS} to ${MOST_MS}`

/** A moment, in milliseconds, and how far the primary's write-ahead log reached at that moment or later. */
interface Sample {
  readonly at: number
  readonly position: bigint
}

/** Beyond this every second sample is dropped: the lag of a replica that stands still is then rounded up. */
const MOST_KEPT = 1_000

/**
 * How old the data of a replica are at most, by comparing its position in the log with samples of the primary's. Unlike the
 * time of the last transaction that was replayed, this does not grow while nothing is written.
 */
export const createLag = () => {
  let samples: readonly Sample[] = []
  return {
    written: (sample: Sample): void => {
      const kept = samples.length < MOST_KEPT ? samples : samples.filter((_, i) => i % 2 === 0)
      samples = [...kept, sample]
    },
    /** The moment up to which a replica at this position has everything; null: it is behind all that is known. */
    reached: (position: bigint): number | null => {
      const last = samples.findLastIndex(sample => sample.position <= position)
      // earlier ones tell nothing more
      if (last > 0) samples = samples.slice(last)
      return last < 0 ? null : (samples[0]?.at ?? null)
    },
  }
}
