import type { Pool } from 'pg'
import type {
  DomainStats,
  MinuteStats,
  QueueStats,
  Stats,
  StatsReader,
} from '../../../application/ports/reading/stats.ts'
import { BoundedMap } from '../../../application/shared/bounded-map.ts'
import { type CommandStatus, commandStatuses } from '../../../domain/command/transitions.ts'
import { cachedFor } from '../../shared/cached.ts'
import { queueStats } from '../queue/queue-stats.ts'
import { countOpen, type OpenRow } from '../reading/open-commands.ts'
import { countUndelivered } from '../replies/undelivered.ts'
import { openTransactions } from './database-stats.ts'
import { createEventCounts, type EventCounts, WINDOW_MINUTES } from './event-counts.ts'

interface OpenOfTenant {
  readonly open: readonly OpenRow[]
  readonly undeliveredReplies: number
}

/** How long an answer is reused: nine times as long as it took, so that computing takes a tenth of the time at most. */
const keptFor = (tookMs: number): number => Math.min(tookMs * 9, LONGEST_KEPT_MS)
const LONGEST_KEPT_MS = 15_000
/** How many tenants' counts are cached; those read longest ago are dropped first. */
const MOST_TENANTS = 1_000

/**
 * Counts for people. Commands that have not ended, and FAILED ones, are counted in an index at every call; the others by
 * `createEventCounts`.
 *
 * @param primary where transactions are open and queues are looked at, if `pool` is of a replica
 */
export const createStats = (pool: Pool, primary = pool): StatsReader => {
  const events = createEventCounts(pool)
  const advance = cachedFor(0, events.advance)

  const ofTenants = new BoundedMap<string, () => Promise<OpenOfTenant>>(MOST_TENANTS)
  const openOf = (tenantId: string): Promise<OpenOfTenant> => {
    const read =
      ofTenants.get(tenantId) ??
      cachedFor(keptFor, async () => {
        const [open, undeliveredReplies] = await Promise.all([
          countOpen(pool, openStatuses, tenantId),
          countUndelivered(pool, tenantId),
        ])
        return { open, undeliveredReplies }
      })
    ofTenants.set(tenantId, read)
    return read()
  }

  const readAll = cachedFor(keptFor, async () => {
    const [open, queues, transactions, undeliveredReplies] = await Promise.all([
      countOpen(pool, openStatuses),
      queueStats(primary),
      openTransactions(primary),
      countUndelivered(pool),
      advance(),
    ])
    return statsOf(events, undefined, open, queues, { ...transactions, undeliveredReplies })
  })

  return {
    read: async ({ tenantId } = {}) => {
      if (tenantId === undefined) return readAll()
      const [{ open, undeliveredReplies }, transactions] = await Promise.all([
        openOf(tenantId),
        openTransactions(primary, tenantId),
        advance(),
      ])
      return statsOf(events, tenantId, open, [], { ...transactions, undeliveredReplies })
    },
  }
}

/** Statuses whose commands are counted by their rows; COMPLETED and CANCELED are counted by `createEventCounts`. */
const openStatuses = ['PENDING', 'IN_PROGRESS', 'FAILED', 'IN_TROUBLESHOOTING_QUEUE'] as const

const none = (): Record<CommandStatus, number> => ({
  PENDING: 0,
  IN_PROGRESS: 0,
  COMPLETED: 0,
  FAILED: 0,
  CANCELED: 0,
  IN_TROUBLESHOOTING_QUEUE: 0,
})

const statsOf = (
  events: EventCounts,
  tenant: string | undefined,
  open: readonly OpenRow[],
  queues: readonly QueueStats[],
  others: Pick<Stats, 'oldestTransactionSeconds' | 'feed' | 'undeliveredReplies'>,
): Stats => {
  const now = events.now()
  const byDomain = new Map<string, Record<CommandStatus, number>>()
  const oldest = new Map<string, string>()
  const of = (domain: string): Record<CommandStatus, number> => {
    const known = byDomain.get(domain) ?? none()
    byDomain.set(domain, known)
    return known
  }
  for (const row of open) {
    of(row.domain)[row.status] = row.count
    if (row.status === 'PENDING') oldest.set(row.domain, row.oldest)
  }
  for (const [domain, ended] of events.ended(tenant)) Object.assign(of(domain), ended)
  const total = none()
  for (const one of byDomain.values()) for (const status of commandStatuses) total[status] += one[status]
  return {
    at: new Date(now).toISOString(),
    total,
    domains: [...byDomain.keys()].sort().map(domain => ({
      domain,
      ...of(domain),
      oldestPending: pendingSince(oldest.get(domain), now),
    })),
    throughput: minutesOf(events, tenant, now),
    queues,
    ...others,
  }
}

const pendingSince = (since: string | undefined, now: number): DomainStats['oldestPending'] =>
  since === undefined
    ? null
    : { createdAt: since, ageSeconds: Math.max(0, Math.round((now - Date.parse(since)) / 1000)) }

const minutesOf = (events: EventCounts, tenant: string | undefined, now: number): readonly MinuteStats[] => {
  const recent = events.recent(tenant)
  const last = Math.floor(now / 60_000) * 60_000
  const minutes = Array.from({ length: WINDOW_MINUTES }, (_, i) => last - (WINDOW_MINUTES - 1 - i) * 60_000)
  const known = minutes.filter(minute => minute >= events.since() || minute === last)
  return known.map(minute => {
    const count = (...types: readonly string[]): number =>
      types.reduce((sum, type) => sum + (recent.get(minute)?.get(type) ?? 0), 0)
    return {
      minute: new Date(minute).toISOString(),
      sent: count('CommandSent'),
      completed: count('CommandCompleted', 'OperatorCompleted'),
      failed: count('CommandRejectedByBusinessRule', 'CommandExhausted'),
      parked: count('CommandMovedToTroubleshooting', 'OperatorEndedAttempt'),
    }
  })
}
