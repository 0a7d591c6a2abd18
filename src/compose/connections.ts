import type { Pool } from 'pg'
import { InvalidInputError } from '../application/shared/errors.ts'
import { wholeOf } from '../application/shared/input.ts'
import type { CommandBusOptions } from '../bus-options.ts'
import {
  isTimeout,
  timeoutForm,
  USUAL_READ_TIMEOUT_MS,
  USUAL_TIMEOUT_MS,
} from '../infrastructure/postgres/network/time-limit.ts'
import { createPool, poolLike, userPool } from '../infrastructure/postgres/transactions/pool.ts'
import { LONGEST_ANSWER_MS } from '../infrastructure/worker/heartbeat.ts'

/** Enough for a worker's reads and reports; docs/production.md lists all connections of a process. */
const WORKER_CONNECTIONS = 4
/** For reads that must not delay anything else. */
const READ_CONNECTIONS = 4
/** For those of the same reads, and of the library's, that a replica answers. */
const REPLICA_CONNECTIONS = 8
/** How long a replica may take to say how far it is. */
const LOOK_MS = 2_000

export interface Connections {
  /** For callers and handlers. */
  readonly pool: Pool
  /** For workers. Separate, because callers and handlers hold connections of `pool` while they wait for workers. */
  readonly workerPool: Pool
  readonly heartbeatPool: Pool
  /** For reads over HTTP, so that they do not delay sends. */
  readonly readPool: Pool
  /** Null without `readDatabaseUrl`. */
  readonly replica: {
    readonly pool: Pool
    /** One connection, which no read holds. */
    readonly lookPool: Pool
  } | null
  readonly timeoutMs: number
  readonly close: () => Promise<void>
}

/** Makes the pools of one bus. They connect at the first statement. @throws InvalidInputError */
export const openConnections = (options: CommandBusOptions): Connections => {
  const timeoutMs = timeoutOf('databaseTimeoutMs', USUAL_TIMEOUT_MS, options.databaseTimeoutMs)
  const readTimeoutMs = timeoutOf('readTimeoutMs', USUAL_READ_TIMEOUT_MS, options.readTimeoutMs)
  const given = options.pool === undefined ? null : userPool(options.pool, timeoutMs)
  const pool =
    given?.pool ??
    createPool(requireUrl(options.databaseUrl), wholeOf(options.maxConnections ?? 10, 'maxConnections', 1), timeoutMs)
  const workerPool = poolLike(pool, WORKER_CONNECTIONS)
  // keeps an idle connection open, because the server may refuse a new one when it is needed
  const heartbeatPool = poolLike(
    pool,
    1,
    { idleTimeoutMillis: 0, maxLifetimeSeconds: 0 },
    Math.min(LONGEST_ANSWER_MS, timeoutMs),
  )
  const readPool = poolLike(pool, READ_CONNECTIONS, {}, Math.min(readTimeoutMs, timeoutMs))
  const replica = replicaOf(options.readDatabaseUrl, Math.min(readTimeoutMs, timeoutMs))
  return {
    pool,
    workerPool,
    heartbeatPool,
    readPool,
    replica,
    timeoutMs,
    close: async () => {
      const others = replica === null ? [] : [replica.lookPool, replica.pool]
      await Promise.all([heartbeatPool, workerPool, readPool, ...others].map(one => one.end()))
      if (given === null) await pool.end()
      else given.letGo()
    },
  }
}

const replicaOf = (url: string | undefined, timeoutMs: number): Connections['replica'] => {
  if (url === undefined) return null
  if (!isUrl(url))
    throw new InvalidInputError('readDatabaseUrl', 'must be a connection string that begins with postgres://')
  const lookPool = createPool(url, 1, Math.min(LOOK_MS, timeoutMs), 'readDatabaseUrl')
  // connections are waited for as long as for an answer to a look: the primary has some, too
  return { pool: poolLike(lookPool, REPLICA_CONNECTIONS, {}, timeoutMs), lookPool }
}

const isUrl = (given: unknown): given is string => typeof given === 'string' && /^\s*postgres(ql)?:\/\//.test(given)

export const requireUrl = (databaseUrl: string | undefined): string => {
  if (isUrl(databaseUrl)) return databaseUrl
  throw new InvalidInputError('databaseUrl', 'must be a connection string that begins with postgres://, or give a pool')
}

const timeoutOf = (name: 'databaseTimeoutMs' | 'readTimeoutMs', usual: number, given = usual): number => {
  if (isTimeout(given)) return given
  throw new InvalidInputError(name, `must be ${timeoutForm}, not ${given}; leave it out for ${usual}`)
}
