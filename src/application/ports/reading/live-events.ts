import type { CommandStatus } from '../../../domain/command/transitions.ts'
import type { FeedPosition } from '../event-feed.ts'

/** An event of a command or a run, without its payload. Times are ISO 8601. */
export interface LiveEvent {
  /** Where to resume after this event. */
  readonly position: FeedPosition
  readonly stream: string
  readonly revision: number
  readonly type: string
  /** Null in events of runs, as are the next three members. */
  readonly domain: string | null
  readonly commandId: string | null
  readonly commandType: string | null
  /** The command's status after the event. */
  readonly status: CommandStatus | null
  /** The workflow run of the event, or the run whose job the command is; null: none. */
  readonly run: string | null
  readonly at: string
  readonly actor: string
  readonly correlationId: string
  readonly tenantId: string | null
  readonly recordedAt: string
}

/** The events that a reader wants; a missing member matches all. */
export interface LiveFilter {
  readonly domain?: string
  readonly commandId?: string
  /** Only events of this workflow run and its jobs. */
  readonly run?: string
  /** Set by the application, from the reader's identity. */
  readonly tenantId?: string
}

/** Which events a live reader gets, and after which. */
export interface SubscribeOptions {
  /** The last event already seen; null: the beginning of the log; `now`: only new events. */
  readonly after: FeedPosition | null | 'now'
  readonly filter?: LiveFilter
  /** Ends the subscription. */
  readonly signal?: AbortSignal
}

/** Events in the order of the feed, each once. Can be iterated once, and reads nothing before that. */
export interface Subscription extends AsyncIterable<LiveEvent> {
  /** All matching events up to this position were delivered: a reader that resumes after it misses and repeats none. */
  readonly reached: () => FeedPosition
  /** Ends the iteration, even while it waits. */
  readonly close: () => void
}

/** Opens a subscription; see the adapter for what it refuses. */
export type Subscribe = (options: SubscribeOptions) => Promise<Subscription>
