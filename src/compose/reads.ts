import type { Pool } from 'pg'
import type { BusCalls } from '../application/access/bus-calls.ts'
import type { EventStore } from '../application/ports/event-store.ts'
import type { Log } from '../application/ports/log.ts'
import type { StatsReader } from '../application/ports/reading/stats.ts'
import { InvalidInputError } from '../application/shared/errors.ts'
import { defined } from '../application/shared/input.ts'
import { createFigures } from '../application/watching/figures.ts'
import type { CommandBusOptions } from '../bus-options.ts'
import type { Reading } from '../command-bus.ts'
import type { BusEvent } from '../domain/bus-event.ts'
import type { LiveSource } from '../infrastructure/live/live-event.ts'
import { createPostgresLiveEvents } from '../infrastructure/live/postgres-live-events.ts'
import { createPostgresLiveSource } from '../infrastructure/live/postgres-source.ts'
import { databaseUntil } from '../infrastructure/postgres/connection/database.ts'
import { createFigureQueries, shared } from '../infrastructure/postgres/figures/figures.ts'
import { isLag, lagForm, USUAL_LAG_MS } from '../infrastructure/postgres/replica/lag.ts'
import { createReplica, type ReplicaRead } from '../infrastructure/postgres/replica/replica.ts'
import { type CallNames, routedCalls } from '../infrastructure/postgres/replica/routed-calls.ts'
import { createStats } from '../infrastructure/postgres/stats/stats.ts'
import { createWorkerQueries } from '../infrastructure/postgres/workers/worker-queries.ts'
import type { createBusCalls } from './bus-calls.ts'
import type { Connections } from './connections.ts'
import type { Readiness } from './readiness.ts'

/**
 * What a replica answers: it may be a little old, and nothing is decided by it. All other calls are made on the primary: those
 * that change or try something, those that read one thing by its id, lists of settings, which are short, and queues (see
 * `queueStats`).
 */
const onReplica: CallNames<BusCalls> = {
  // the primary says by what a caller may search
  queryCommands: (filter = {}) => filter.payload === undefined,
  getAuditTrail: true,
  getHistory: true,
  getAttempts: true,
  getCorrelation: true,
  troubleshooting: { list: true, groups: true, listAt: true, explain: true },
  actions: { list: true },
  lanes: { list: true, listAt: true },
  replies: { owed: true, undelivered: true },
  strangers: { list: true },
  operations: { list: true },
  runs: { list: true, history: true },
  figures: { types: true, causes: true, status: true },
}

/** Null without `readDatabaseUrl`. @throws InvalidInputError */
export const openReplica = ({ replica, heartbeatPool }: Connections, { maxReadLagMs }: CommandBusOptions, log: Log) => {
  if (replica === null) {
    if (maxReadLagMs !== undefined) throw new InvalidInputError('maxReadLagMs', 'goes with readDatabaseUrl only')
    return null
  }
  const maxLagMs = maxReadLagMs ?? USUAL_LAG_MS
  if (!isLag(maxLagMs)) throw new InvalidInputError('maxReadLagMs', `must be ${lagForm}`)
  return {
    pool: replica.pool,
    ...createReplica({ ...replica, primary: heartbeatPool, maxLagMs, log }),
  }
}

export interface ReadsDeps extends Pick<Readiness, 'guardedAll'> {
  readonly callsOn: ReturnType<typeof createBusCalls>
  readonly storeOn: (pool: Pool) => EventStore<BusEvent>
  readonly readPool: Pool
  readonly replica: ReturnType<typeof openReplica>
  readonly log: Log
}

/** The calls and counts that callers read. */
interface CallerReads {
  readonly bus: BusCalls
  readonly stats: StatsReader
}

/** What is only read: on connections of its own, or from the replica. */
export const createReads = ({ callsOn, storeOn, readPool, replica, guardedAll, log }: ReadsDeps) => {
  // workers are alive by what they wrote last, which a replica has later
  const noWorkers = shared(createWorkerQueries(readPool).unhandled)
  /** Counted once for all callers. */
  const countsOn = (pool: Pool) => ({
    figures: guardedAll(createFigures({ queries: createFigureQueries(pool, readPool), noWorkers })),
    stats: guardedAll({ read: createStats(pool, readPool).read }),
  })
  const here = countsOn(readPool)
  const there = replica === null ? here : countsOn(replica.pool)

  const routed = (bus: BusCalls, replicaPool: (pool: Pool) => Pool, options: ReplicaRead = {}): CallerReads => {
    if (replica === null) return { bus, stats: here.stats }
    const busThere = (): BusCalls => {
      const on = replicaPool(replica.pool)
      return callsOn(on, storeOn(on), there.figures).bus
    }
    return {
      bus: routedCalls(replica.read, bus, busThere, onReplica, options),
      stats: routedCalls(replica.read, here.stats, () => there.stats, { read: true }, options),
    }
  }

  const logOf = (): LiveSource => {
    const logHere = createPostgresLiveSource(readPool)
    if (replica === null) return logHere
    const logThere = createPostgresLiveSource(replica.pool)
    const read: LiveSource['read'] = (...from) =>
      replica.read(
        () => logThere.read(...from),
        () => logHere.read(...from),
      )
    // subscribers hear of an event once the lists on the replica show it
    return { ...logHere, read }
  }

  return {
    figures: here.figures,
    live: createPostgresLiveEvents(readPool, { log }, logOf()),
    /** The calls of the bus itself, as its callers make them. */
    ofBus: (bus: BusCalls): CallerReads => routed(bus, pool => pool),
    /** The calls of one caller, until nobody waits for the answer any more. */
    until: ({ signal, fresh, onAge }: Reading): CallerReads => {
      const on = databaseUntil(readPool, signal)
      const { bus } = callsOn(on, storeOn(on), here.figures)
      if (fresh === true) return { bus, stats: here.stats }
      return routed(bus, pool => databaseUntil(pool, signal), { signal, ...defined({ onAge }) })
    },
  }
}
