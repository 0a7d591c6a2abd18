import type { FeedPosition } from '../../../application/ports/event-feed.ts'
import { isAfter, parsePosition } from '../store/records.ts'

/**
 * The lag: the age of the oldest end of the log that was seen and has not been reached. It needs only the clock of this
 * process.
 */
export const createLag = (now: () => number) => {
  let seen: { readonly head: FeedPosition; readonly at: number }[] = []
  let reached: FeedPosition | null = null

  const isOpen = ({ head }: { readonly head: FeedPosition }): boolean =>
    reached === null || isAfter(parsePosition(head), parsePosition(reached))

  return {
    saw: (head: FeedPosition | null): void => {
      if (head === null || seen.at(-1)?.head === head || !isOpen({ head })) return
      seen.push({ head, at: now() })
    },
    reached: (position: FeedPosition): void => {
      reached = position
      seen = seen.filter(isOpen)
    },
    reset: (position: FeedPosition | null): void => {
      reached = position
      seen = []
    },
    isBehind: (): boolean => seen.length > 0,
    behindMs: (): number => (seen[0] === undefined ? 0 : now() - seen[0].at),
  }
}
