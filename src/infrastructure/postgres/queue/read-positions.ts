/** A message that is committed this much later than it became due is still found by the next read. */
const LATE_MS = 1_000
/** The next read from the beginning comes after nine times as long as the last one took: a tenth of the time at most. */
const WHOLE_SHARE = 9
const LONGEST_MS = 10_000

/** One read of a queue. */
export interface ReadPlan {
  /** Where the read begins, in ms since 1970; null: at the first message. */
  readonly after: number | null
  /** Call it with the time up to which the queue was read: when the last message became due, or when it found all. */
  readonly reached: (due: number | undefined) => void
}

/**
 * Decides where the next read of a queue begins. While a transaction holds a snapshot, the index keeps the entries of
 * messages that were read, and a read from the beginning passes over each of them. So a read begins where the last one
 * ended.
 *
 * A message can appear before that place: one committed late, handed back, or due by a clock that was set back. So the
 * queue is read from its beginning as often as that is cheap, and at least every ten seconds. The reads after it go on
 * where it ended, even if that is far before the old place: so all messages there are found, however many they are.
 */
export const createReadPositions = (now: () => number = () => performance.now()) => {
  const places = new Map<string, { after: number | null; wholeAt: number }>()
  return {
    next: (queue: string): ReadPlan => {
      const began = now()
      const place = places.get(queue) ?? { after: null, wholeAt: 0 }
      places.set(queue, place)
      const whole = place.after === null || began >= place.wholeAt
      return {
        after: whole ? null : place.after,
        reached: due => {
          const ended = now()
          if (whole) place.wholeAt = ended + Math.min(LONGEST_MS, (ended - began) * WHOLE_SHARE)
          if (due !== undefined) place.after = Math.floor(due) - LATE_MS
        },
      }
    },
    /** Where the next ordinary read of the queue begins. */
    after: (queue: string): number | null => places.get(queue)?.after ?? null,
  }
}
