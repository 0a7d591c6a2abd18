import type { Recorded } from '../../domain/recorded.ts'

/** Where a reader of the feed stands. Opaque text of the adapter's: keep it, compare it for equality, never compute. */
export type FeedPosition = string

export interface FeedEvent<Event> extends Recorded<Event> {
  readonly position: FeedPosition
  /** When the log took the event; ISO 8601. */
  readonly recordedAt: string
  /** The message the event put on a queue, where the log knows it. */
  readonly msgId: string | null
}

/** All events in one order that never changes and never gains an event before a position already read. */
export interface EventFeed<Event> {
  /** Up to `limit` events after `after` (null: from the beginning). Fewer may mean "no more for now". */
  readonly read: (after: FeedPosition | null, limit: number) => Promise<readonly FeedEvent<Event>[]>
  /** The position of the newest event that can be read now; null on an empty log. */
  readonly head: () => Promise<FeedPosition | null>
}
