import type { CommandStatus } from '../../../domain/command/transitions.ts'

/** What a part says of itself. */
export interface Health {
  /** degraded: work goes on, but something needs a look; critical: no work is done. */
  readonly status: 'healthy' | 'degraded' | 'critical'
  readonly reasons: readonly string[]
}

export interface QueueFigures {
  readonly queue: string
  /** Messages on the queue, visible or not. Like `visible` an estimate where there are many thousands. */
  readonly depth: number
  readonly visible: number
  readonly oldestAgeSeconds: number | null
  readonly newestAgeSeconds: number | null
  /** Messages ever put on it. */
  readonly total: number
  /** Messages found on it that belong to no known command; they are in its archive. */
  readonly strangers: number
}

export interface FeedFigures {
  /** Age of the oldest event that readers of the feed cannot see yet; 0: they see all. A tenant is told its own events. */
  readonly lagSeconds: number
  /** How many such events there are; counted up to 10,000. */
  readonly heldBack: number
  /** Age of the oldest open transaction that has written, in any database of the server: it holds up the feed. */
  readonly oldestWriterSeconds: number
}

export type StatusCounts = { readonly [Status in CommandStatus]: number }

export interface DomainStats extends StatusCounts {
  readonly domain: string
  /** The PENDING command that was sent first; null: none. A command that waits for its next attempt is PENDING too. */
  readonly oldestPending: { readonly createdAt: string; readonly ageSeconds: number } | null
}

/** What happened in one minute; `failed` ended FAILED, `parked` went to troubleshooting. */
export interface MinuteStats {
  readonly minute: string
  readonly sent: number
  readonly completed: number
  readonly failed: number
  readonly parked: number
}

export interface Stats {
  readonly at: string
  readonly total: StatusCounts
  readonly domains: readonly DomainStats[]
  /** The last 15 minutes, oldest first, the last one under way; fewer where a busy log was not read back so far. */
  readonly throughput: readonly MinuteStats[]
  /** Not told to a tenant: queues hold the commands of all. */
  readonly queues: readonly QueueFigures[]
  readonly feed: FeedFigures
  /** Replies that could not be delivered and are kept; counted up to 10,000. */
  readonly undeliveredReplies: number
  readonly oldestTransactionSeconds: number
}

export interface StatsReader {
  /** Of one tenant's commands, or of all. */
  readonly read: (scope?: { readonly tenantId?: string }) => Promise<Stats>
}
