import type { CommandStatus } from '../../domain/command/transitions.ts'
import type { FeedPosition } from './event-feed.ts'

/** An event of a command's life as people follow it: who, what, when, never the payload. Times are ISO 8601. */
export interface LiveEvent {
  /** Where to resume after this event. */
  readonly position: FeedPosition
  readonly stream: string
  readonly revision: number
  readonly type: string
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  /** The command's status after the event. */
  readonly status: CommandStatus
  readonly at: string
  readonly actor: string
  readonly correlationId: string
  readonly tenantId: string | null
  readonly recordedAt: string
}

/** Which events a reader wants; what is left out does not matter. */
export interface LiveFilter {
  readonly domain?: string
  readonly commandId?: string
  /** Set by the application, from the reader's identity. */
  readonly tenantId?: string
}

export interface SubscribeOptions {
  /** The last event already seen; null: from the beginning of the log; `now`: what comes from now on. */
  readonly after: FeedPosition | null | 'now'
  readonly filter?: LiveFilter
  /** Ends the subscription. */
  readonly signal?: AbortSignal
}

/** Events in the order of the feed, each once. Can be iterated once; nothing is read before. */
export interface Subscription extends AsyncIterable<LiveEvent> {
  /** Everything that matches up to here was handed out: resuming after it loses nothing and repeats nothing. */
  readonly reached: () => FeedPosition
  /** Ends the iteration, also one that waits. */
  readonly close: () => void
}

/** Opens a subscription; see the adapter for what it refuses. */
export type Subscribe = (options: SubscribeOptions) => Promise<Subscription>
