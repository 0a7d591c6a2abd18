import type { Pool } from 'pg'
import type { CauseFilter } from '../../../application/ports/reading/explain.ts'
import { conditions } from '../reading/conditions.ts'
import { frameOf } from '../reading/open-commands.ts'
import { type KeyRow, MILLIS, PART_OF_TABLE, type Period } from './succeeded.ts'

/** The newest failed commands of a cause, from which the samples are taken. */
const MOST_FAILED = 5_000
const MIN_MARGIN_MS = 600_000
const MAX_MARGIN_MS = 7 * 86_400_000
/** Most have failed for good after this share of the times that they took for it. */
const SHARE_OF_LAGS = 0.9

interface FailedRow extends KeyRow {
  /** From when it was sent until it had failed for good. */
  readonly lagMs: number
  /** For how long it has failed. */
  readonly agoMs: number
}

const failedOf = (cause: CauseFilter) => {
  const filters = conditions()
  filters.add('c.last_error_code = ?', cause.errorCode)
  filters.add('c.domain = ?', cause.domain)
  filters.add('c.command_type = ?', cause.commandType)
  filters.add(`${frameOf('c')} = ?`, cause.frame)
  filters.tenant(cause.tenantId)
  return filters
}

/** Newest first. */
export const readFailed = async (pool: Pool, cause: CauseFilter): Promise<readonly FailedRow[]> => {
  const filters = failedOf(cause)
  const { rows } = await pool.query<FailedRow>(
    `select c.command_id as "commandId", ${MILLIS} as at,
       (extract(epoch from coalesce(c.parked_at, c.updated_at) - c.created_at) * 1000)::float8 as "lagMs",
       (extract(epoch from now() - coalesce(c.parked_at, c.updated_at)) * 1000)::float8 as "agoMs"
     from command_bus_command c where c.status in ('IN_TROUBLESHOOTING_QUEUE', 'FAILED') and ${filters.where()}
     order by c.created_at desc, c.command_id desc limit ${MOST_FAILED}`,
    filters.values,
  )
  return rows
}

/** The time of the failed ones, with a margin in which such commands could have failed as well. Null: there are none. */
export const periodOf = (failed: readonly FailedRow[]): Period | null => {
  const [newest, oldest] = [failed[0], failed.at(-1)]
  if (newest === undefined || oldest === undefined) return null
  const margin = Math.min(Math.max(newest.at - oldest.at, MIN_MARGIN_MS), MAX_MARGIN_MS)
  // those of which it is not known yet would make it seem to have ended
  const lags = failed.map(({ lagMs }) => lagMs).sort((a, b) => a - b)
  const lag = lags[Math.floor(lags.length * SHARE_OF_LAGS)] ?? 0
  const decided = newest.at + newest.lagMs + newest.agoMs - lag
  return {
    // before the oldest of them there are others that were not read
    since: failed.length < MOST_FAILED ? oldest.at - margin : oldest.at,
    until: Math.max(newest.at, Math.min(newest.at + margin, decided)),
  }
}

/** So few of a sample say nothing of when they were sent. */
const TOO_FEW = 5
const MOST_TIMES = 200_000

/**
 * When those of the period were sent, in ascending order, that failed like this for good and that operators have dealt with, by a
 * retry, a completion or a cancellation. Of a large table it reads a part, and gives as many times as there are about in all.
 */
export const readDealtWith = async (
  pool: Pool,
  cause: CauseFilter,
  { since, until }: Period,
): Promise<readonly number[]> => {
  const filters = failedOf(cause)
  filters.add('c.created_at >= to_timestamp(?::float8 / 1000)', since)
  filters.add('c.created_at <= to_timestamp(?::float8 / 1000)', until)
  const { rows } = await pool.query<{ at: number; share: number }>(
    `select ${MILLIS} as at, (${PART_OF_TABLE} / 100)::float8 as share
     from command_bus_command c tablesample system (${PART_OF_TABLE}) repeatable (1)
     where ${filters.where()} and (c.status = 'CANCELED'
       or c.status = 'COMPLETED' and (c.total_attempts > c.attempts or c.last_error_type is distinct from 'TRANSIENT'))
     order by 1`,
    filters.values,
  )
  const { share = 1 } = rows[0] ?? {}
  if (share < 1 && rows.length < TOO_FEW) return []
  const times = rows.map(({ at }) => at)
  return stretched(times, Math.max(1, Math.min(Math.round(1 / share), Math.floor(MOST_TIMES / times.length))))
}

/** `factor` times as many, at even distances between them. */
const stretched = (times: readonly number[], factor: number): readonly number[] =>
  times.flatMap((at, i) => {
    const step = ((times[i + 1] ?? at) - at) / factor
    return Array.from({ length: factor }, (_, n) => at + n * step)
  })
