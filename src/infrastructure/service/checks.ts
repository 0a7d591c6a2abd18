import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import { silentLog } from '../../application/ports/log.ts'
import type { Health } from '../../application/ports/reading/stats.ts'
import { maskSecrets } from '../../application/shared/mask-secrets.ts'
import { unhandledSentence } from '../../domain/flow/unhandled.ts'
import type { CatchUpHealth } from '../eventstoredb/mirror/catch-up-health.ts'
import type { Check, HealthReport } from '../http/pages/health.ts'
import { toPublicError } from '../postgres/connection/errors.ts'
import { POOLED_TRANSACTIONS } from '../postgres/connection/pooling.ts'
import { pausedDomains } from '../postgres/flow/pause-queries.ts'
import { assertOwnCluster } from '../postgres/log/own-cluster.ts'
import { foreignQueues, lackOfPgmqRights } from '../postgres/queue/pgmq-rights.ts'
import { USUAL_LAG_MS } from '../postgres/replica/lag.ts'
import { createReplica, type ReplicaHealth } from '../postgres/replica/replica.ts'
import { assertSchemaCurrent } from '../postgres/schema/schema-version.ts'
import { feedCheck } from '../postgres/stats/database-stats.ts'
import { LEADER } from '../postgres/transactions/leadership.ts'
import { createPool, poolingOf } from '../postgres/transactions/pool.ts'
import { watchWorkers } from '../postgres/workers/worker-queries.ts'
import { worst } from './worker-report.ts'

/** How long a check may take. */
export const CHECK_MS = 2_000
/** A transaction that is open this long delays vacuum and the followers of the log. */
const OLD_TRANSACTION_S = 300

const healthy: Check = { status: 'healthy', reasons: [] }

/** Runs the check; a failure, or no answer in time, is critical. */
const guarded = async (check: () => Promise<Check>): Promise<Check> => {
  const late = new AbortController()
  const timeout = delay(CHECK_MS, undefined, { signal: late.signal, ref: false }).then(
    (): Check => ({ status: 'critical', reasons: [`the database did not answer within ${CHECK_MS / 1000} s`] }),
  )
  timeout.catch(() => {})
  const answer = check().catch(
    (error): Check => ({ status: 'critical', reasons: [maskSecrets(toPublicError(error).message)] }),
  )
  try {
    return await Promise.race([answer, timeout])
  } finally {
    late.abort()
  }
}

const databaseCheck = async (pool: Pool): Promise<Check> => {
  const pooling = await poolingOf(pool)
  const { rows } = await pool.query<{ oldest: number | null; readonly: boolean }>(
    `select (select extract(epoch from now() - min(xact_start))::float8 from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and application_name <> '${LEADER}') as oldest,
            pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as readonly`,
  )
  const { oldest = null, readonly = false } = rows[0] ?? {}
  const oldestTransactionSeconds = oldest === null ? 0 : Math.round(oldest)
  if (readonly) return { status: 'critical', reasons: ['the database is read-only'], oldestTransactionSeconds }
  // it works: a note, not a fault
  const reasons = pooling === 'transaction' ? [POOLED_TRANSACTIONS] : []
  const pooled = pooling === 'none' ? {} : { pooling }
  return oldestTransactionSeconds >= OLD_TRANSACTION_S
    ? {
        status: 'degraded',
        reasons: [
          ...reasons,
          `a transaction has been open for ${oldestTransactionSeconds} s: find it in pg_stat_activity`,
        ],
        ...pooled,
        oldestTransactionSeconds,
      }
    : { ...healthy, reasons, ...pooled, oldestTransactionSeconds }
}

const schemaCheck = async (pool: Pool): Promise<Check> => {
  await assertSchemaCurrent(pool)
  await assertOwnCluster(pool)
  return healthy
}

const queueCheck = async (pool: Pool): Promise<Check> => {
  const { rows } = await pool.query<{ queues: number }>('select count(*)::int as queues from pgmq.meta')
  const reasons = [await lackOfPgmqRights(pool), await foreignQueues(pool)].filter(reason => reason !== null)
  // why messages wait: a note, not a fault
  const paused = await pausedDomains(pool)
  const notes =
    paused.length === 0 ? [] : [`commands are paused in ${paused.join(', ')}: \`commandbus pauses\` shows them`]
  return {
    status: reasons.length === 0 ? 'healthy' : 'degraded',
    reasons: [...reasons, ...notes],
    queues: rows[0]?.queues ?? 0,
  }
}

/** In how many domains nobody works is said one by one. */
const MOST_NAMED = 5

/** Whether somebody handles what waits. The service can do its own work, so that this is never critical. */
const workersCheck = async (pool: Pool): Promise<Check> => {
  const { live, unhandled } = await watchWorkers(pool)
  const more = unhandled.length - MOST_NAMED
  return {
    status: unhandled.length === 0 ? 'healthy' : 'degraded',
    reasons: [
      ...unhandled.slice(0, MOST_NAMED).map(unhandledSentence),
      ...(more > 0 ? [`and no worker for ${more} more: \`commandbus workers\` shows them`] : []),
    ],
    live: [...live.values()].reduce((sum, count) => sum + count, 0),
  }
}

/** Further checks beside the database. */
export interface FurtherChecks {
  readonly worker?: (() => Health) | undefined
  /** The background check of the proof. */
  readonly proof?: (() => Health) | undefined
  /** The follower of a log outside the database. */
  readonly eventStore?: (() => Check | Promise<Check>) | undefined
  /** The replica that lists are read from. */
  readonly replica?: (() => Check | Promise<Check>) | undefined
}

/** Checks the database, its schema and its queues, and runs the further checks. */
export const checkHealth = async (
  pool: Pool,
  { worker, eventStore, replica, proof }: FurtherChecks = {},
): Promise<HealthReport> => {
  const [database, schema, queue, feed, workers] = await Promise.all([
    guarded(() => databaseCheck(pool)),
    guarded(() => schemaCheck(pool)),
    guarded(() => queueCheck(pool)),
    guarded(async () => ({ ...(await feedCheck(pool)) })),
    guarded(() => workersCheck(pool)),
  ])
  const checks = {
    database,
    schema,
    queue,
    feed,
    // what cannot be read of workers says the part that failed
    ...(workers.status === 'critical' ? {} : { workers }),
    ...(eventStore === undefined ? {} : { eventStore: await eventStore() }),
    ...(replica === undefined ? {} : { replica: await replica() }),
    ...(proof === undefined ? {} : { proof: { ...proof() } }),
    ...(worker === undefined ? {} : { worker: { ...worker() } }),
  }
  return { ...worst(Object.values(checks)), checks }
}

/** The health of a follower without details of events, so that anybody may see it. */
export const followerCheck = ({ fault, reasons, ...health }: CatchUpHealth): Check => ({
  ...health,
  reasons: reasons.map(maskSecrets),
  fault: fault === null ? null : { stream: fault.stream, revision: fault.revision },
})

/** Without its replica a service does all it has to: lists are then read from the primary. */
export const replicaCheck = ({ state, lagSeconds, reason }: ReplicaHealth): Check => ({
  status: reason === null ? 'healthy' : 'degraded',
  reasons: reason === null ? [] : [`${reason}; lists and histories are read from the primary meanwhile`],
  state,
  lagSeconds,
})

/** For the doctor, who has no bus: looks at the replica until it is known how far it is behind. */
export const checkReplica = async (readDatabaseUrl: string, primary: Pool): Promise<Check> => {
  const lookPool = createPool(readDatabaseUrl, 1, CHECK_MS, 'readDatabaseUrl')
  const replica = createReplica({ primary, pool: lookPool, lookPool, maxLagMs: USUAL_LAG_MS, log: silentLog })
  try {
    const until = performance.now() + CHECK_MS
    do await replica.begin().catch(() => {})
    while (replica.health().state === 'starting' && performance.now() < until)
    return replicaCheck(replica.health())
  } finally {
    await replica.stop()
    await lookPool.end()
  }
}
