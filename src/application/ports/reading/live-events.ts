import type { CommandStatus } from '../../../domain/command/transitions.ts'
import type { FeedPosition } from '../event-feed.ts'

/** An event as people follow it: who, what, when, never the payload. Times are ISO 8601. Of commands and of runs. */
export interface LiveEvent {
  /** Where to resume after this event. */
  readonly position: FeedPosition
  readonly stream: string
  readonly revision: number
  readonly type: string
  /** Null in events of runs themselves, as are the three below. */
  readonly domain: string | null
  readonly commandId: string | null
  readonly commandType: string | null
  /** The command's status after the event. */
  readonly status: CommandStatus | null
  /** The workflow run it is about, or whose job the command is; null: none. */
  readonly run: string | null
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
  /** Of this workflow run and of its jobs. */
  readonly run?: string
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
