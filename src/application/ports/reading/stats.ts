import type { CommandStatus } from '../../../domain/command/transitions.ts'

/** The health of a part. */
export interface Health {
  /** `degraded`: work goes on, but something needs attention; `critical`: no work is done. */
  readonly status: 'healthy' | 'degraded' | 'critical'
  readonly reasons: readonly string[]
}

export interface QueueStats {
  readonly queue: string
  /** Messages on the queue, visible or not. With many thousands, this and `visible` are estimates. */
  readonly depth: number
  readonly visible: number
  readonly oldestAgeSeconds: number | null
  readonly newestAgeSeconds: number | null
  /** All messages that were ever put on it. */
  readonly total: number
  /** Messages that no command of this bus sent and that wait for an operator. */
  readonly strangers: number
}

export interface FeedStats {
  /** Age of the oldest event that readers of the feed cannot see yet; 0: they see all. For a tenant: of its own events. */
  readonly lagSeconds: number
  /** The number of such events, counted up to 10,000. */
  readonly heldBack: number
  /** Age of the oldest open transaction that has written, in any database of the server: it delays the feed. */
  readonly oldestWriterSeconds: number
}

export type StatusCounts = { readonly [Status in CommandStatus]: number }

export interface DomainStats extends StatusCounts {
  readonly domain: string
  /** The PENDING command that was sent first; null: none. Commands that wait for a retry are PENDING too. */
  readonly oldestPending: { readonly createdAt: string; readonly ageSeconds: number } | null
}

/** The events of one minute; `failed`: commands that ended FAILED; `parked`: those moved to troubleshooting. */
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
  /** The last 15 minutes, oldest first, with the current minute; fewer if the log is very busy. */
  readonly throughput: readonly MinuteStats[]
  /** Empty for a tenant, because queues have the commands of all tenants. */
  readonly queues: readonly QueueStats[]
  readonly feed: FeedStats
  /** Undelivered replies, counted up to 10,000. */
  readonly undeliveredReplies: number
  readonly oldestTransactionSeconds: number
}

export interface StatsReader {
  /** Of one tenant's commands, or of all. */
  readonly read: (scope?: { readonly tenantId?: string }) => Promise<Stats>
}
