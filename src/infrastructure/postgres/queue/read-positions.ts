/** Messages may be committed this much later than they became due and are still found at the next look. */
const LATE_MS = 1_000
/** How many times what it took passes before a queue is read from its beginning again: a tenth of the time at most. */
const WHOLE_SHARE = 9
const LONGEST_MS = 10_000

/** One read of a queue. */
export interface Look {
  /** Where it begins, in ms since 1970; null: at the first message. */
  readonly after: number | null
  /** To be called with when the last message it found became due, or until when it looked where it found all there were. */
  readonly reached: (due: number | undefined) => void
}

/**
 * Where the next read of a queue begins. While some transaction holds a snapshot, the entries of messages that were read
 * stay in the index, and a read from the beginning passes over each of them. So a read goes on where the last one ended.
 *
 * Messages may come to lie before that place: committed late, handed back, or due by a clock that was set back. So a read
 * from the beginning comes as often as it is cheap, and every ten seconds whatever it costs. The reads after it go on where
 * it ended, which may be far before the place it left: however many lie there, each is found in its turn.
 */
export const createReadPositions = (now: () => number = () => performance.now()) => {
  const places = new Map<string, { after: number | null; wholeAt: number }>()
  return {
    next: (queue: string): Look => {
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
    /** Where reads go on now. */
    after: (queue: string): number | null => places.get(queue)?.after ?? null,
  }
}
