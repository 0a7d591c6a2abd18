import type { Recorded } from '../../domain/recorded.ts'

/** The position of a reader in the feed: an opaque text. Store it and compare it for equality, nothing else. */
export type FeedPosition = string

export interface FeedEvent<Event> extends Recorded<Event> {
  readonly position: FeedPosition
  /** When the log stored the event; ISO 8601. */
  readonly recordedAt: string
  /** The message the event put on a queue, where the log knows it. */
  readonly msgId: string | null
}

/** All events in one fixed order: no event ever appears before a position that was read. */
export interface EventFeed<Event> {
  /** Up to `limit` events after `after` (null: from the beginning). Fewer may mean "no more for now". */
  readonly read: (after: FeedPosition | null, limit: number) => Promise<readonly FeedEvent<Event>[]>
  /** The position of the newest event that can be read now; null on an empty log. */
  readonly head: () => Promise<FeedPosition | null>
}
