import type { Pool } from 'pg'
import type { FeedStats, Health, QueueStats } from '../../../application/ports/reading/stats.ts'
import { USUAL_LATE_SECONDS } from '../../../application/replies/owed-replies.ts'
import { MAY_BE_READ } from '../log/log-reader.ts'
import { queueStats } from '../queue/queue-stats.ts'
import { tenantIs } from '../reading/conditions.ts'
import { countOpen } from '../reading/open-commands.ts'
import { countOwed, type OwedCounts } from '../replies/owed.ts'
import { countUndelivered } from '../replies/undelivered.ts'
import { watchWorkers } from '../workers/worker-queries.ts'

export interface OpenTransactions {
  /** The oldest transaction of this database, with or without writes. */
  readonly oldestTransactionSeconds: number
  readonly feed: FeedStats
}

/** What a scrape of the metrics reads. */
export interface DatabaseStats extends OpenTransactions {
  readonly queues: readonly QueueStats[]
  readonly parked: readonly { readonly domain: string; readonly count: number }[]
  /** Undelivered replies, counted up to 10,000. */
  readonly undeliveredReplies: number
  /** By domain: workers that were heard of, and the commands that no worker is there for, counted up to 1,000. */
  readonly workers: ReadonlyMap<string, number>
  readonly unhandled: ReadonlyMap<string, number>
  readonly owedReplies: OwedCounts
}

const COUNTED = 10_000
const OF_TENANT = tenantIs('$1', "e.meta#>>'{context,tenantId}'")

/** Open transactions, and the events that they hold back: of one tenant's commands, or all. */
export const openTransactions = async (pool: Pool, tenantId?: string): Promise<OpenTransactions> => {
  const { rows } = await pool.query<{ lag: number | null; held: number; oldest: number | null; writer: number | null }>(
    `select
       (select extract(epoch from clock_timestamp() - e.recorded)::float8 from command_bus_event e
        where not (${MAY_BE_READ}) and ${OF_TENANT} order by e.xid, e.position limit 1) as lag,
       (select count(*)::int from (select from command_bus_event e
        where not (${MAY_BE_READ}) and ${OF_TENANT} limit ${COUNTED}) held) as held,
       (select extract(epoch from clock_timestamp() - min(a.xact_start))::float8 from pg_stat_activity a
        where a.datname = current_database() and a.pid <> pg_backend_pid()) as oldest,
       (select extract(epoch from clock_timestamp() - min(w.since))::float8 from (
          select xact_start as since from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
          union all select prepared from pg_prepared_xacts) w) as writer`,
    [tenantId ?? null],
  )
  const { lag = null, held = 0, oldest = null, writer = null } = rows[0] ?? {}
  return {
    oldestTransactionSeconds: rounded(oldest),
    feed: { lagSeconds: rounded(lag), heldBack: held, oldestWriterSeconds: rounded(writer) },
  }
}

const rounded = (seconds: number | null): number => Math.max(0, Math.round((seconds ?? 0) * 1000) / 1000)

/** Reads it in a few cheap queries. */
export const readDatabaseStats = async (pool: Pool, lateAfterSeconds = USUAL_LATE_SECONDS): Promise<DatabaseStats> => {
  const parked = await countOpen(pool, ['IN_TROUBLESHOOTING_QUEUE'])
  return {
    queues: await queueStats(pool),
    parked: parked.map(({ domain, count }) => ({ domain, count })),
    undeliveredReplies: await countUndelivered(pool),
    ...(await workersOf(pool)),
    owedReplies: await countOwed(pool, lateAfterSeconds),
    ...(await openTransactions(pool)),
  }
}

const workersOf = async (pool: Pool): Promise<Pick<DatabaseStats, 'workers' | 'unhandled'>> => {
  const { live, unhandled } = await watchWorkers(pool)
  const counts = new Map<string, number>()
  for (const { domain, pending } of unhandled) counts.set(domain, (counts.get(domain) ?? 0) + pending)
  // a domain with workers has none, so that an alert ends
  for (const domain of live.keys()) if (!counts.has(domain)) counts.set(domain, 0)
  return { workers: live, unhandled: counts }
}

/** A feed that is this far behind needs an operator's attention. */
const LATE_SECONDS = 30

/** For `/health/ready`: whether events reach the readers of the log. A feed that is held up does not stop commands. */
export const feedCheck = async (pool: Pool): Promise<Health & FeedStats> => {
  const { feed } = await openTransactions(pool)
  const late = feed.lagSeconds >= LATE_SECONDS
  return {
    status: late ? 'degraded' : 'healthy',
    reasons: late
      ? [
          `events of the last ${Math.round(feed.lagSeconds)} s do not reach those who follow the log: a transaction that has ` +
            `written is open for ${Math.round(feed.oldestWriterSeconds)} s; find it in pg_stat_activity by its backend_xid`,
        ]
      : [],
    ...feed,
  }
}
