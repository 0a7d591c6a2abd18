import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObject,
  Registry,
} from 'prom-client'
import { type Log, silentLog } from '../../application/ports/log.ts'
import type { Telemetry, WorkerFacts } from '../../application/ports/telemetry.ts'
import type { CatchUpHealth } from '../eventstoredb/mirror/catch-up-health.ts'
import type { ReplicaHealth } from '../postgres/replica/replica.ts'
import type { DatabaseStats } from '../postgres/stats/database-stats.ts'
import type { ProofStats } from '../proof/background-check.ts'
import { cachedFor } from '../shared/cached.ts'
import { createDatabaseGauges } from './database-gauges.ts'
import { createFollowerGauges } from './follower-gauges.ts'
import { createLabelCap } from './labels.ts'
import { createProofGauges } from './proof-gauges.ts'
import { createReplicaGauges } from './replica-gauges.ts'

/** The counts of a pool, as pg's pools have them. */
export interface PoolStats {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
}

export interface MetricsOptions {
  /** Reads the counts of the database at a scrape, at most every five seconds. Left out: no such gauges. */
  readonly database?: () => Promise<DatabaseStats>
  /** The health of the follower of a log outside PostgreSQL; null: the log is in PostgreSQL. Left out: no such gauges. */
  readonly follower?: () => CatchUpHealth | null
  /** The replica that lists are read from; null: none yet. Left out: no such gauges. */
  readonly replica?: () => ReplicaHealth | null
  /** The state of the background check of the proof; null: none yet. Left out: no such gauges. */
  readonly proof?: () => ProofStats | null
  /** Pools by their name for the label. */
  readonly pools?: () => { readonly [name: string]: PoolStats }
  /** The process's own memory, CPU and event loop. Default false. */
  readonly processMetrics?: boolean
  /** The most pairs of domain and type with their own labels. Default 500. */
  readonly maxTypes?: number
  readonly log?: Log
}

/** All metrics of one process as JSON, passed to the process that answers scrapes. */
export type MetricsSnapshot = readonly MetricObject[]

export interface Metrics {
  /** Pass it to the bus. */
  readonly telemetry: Telemetry
  /** The page for Prometheus: the metrics of this process and of `others`. */
  readonly page: (others?: readonly MetricsSnapshot[]) => Promise<string>
  readonly contentType: string
  readonly snapshot: () => Promise<MetricsSnapshot>
}

const SCRAPE_CACHE_MS = 5_000
const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Prometheus metrics in their own registry, so that several buses in one process do not conflict. */
export const createMetrics = (options: MetricsOptions = {}): Metrics => {
  const { database, pools, log = silentLog } = options
  const registry = new Registry()
  const registers = [registry]
  const labels = createLabelCap(options.maxTypes ?? 500)
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry })

  const commands = new Counter({
    name: 'commandbus_commands_total',
    help: 'Commands sent (accepted, duplicate, or taken: the id of another tenant) and attempts ended (completed, retried, failed, parked, stale, lost).',
    labelNames: ['domain', 'type', 'outcome'],
    registers,
  })
  const durations = new Histogram({
    name: 'commandbus_handler_duration_seconds',
    help: 'How long handlers ran, by how their attempt ended.',
    labelNames: ['domain', 'type', 'outcome'],
    buckets: SECONDS,
    registers,
  })
  const strangers = new Counter({
    name: 'commandbus_strangers_total',
    help: 'Messages that no command of this bus sent, which workers found: adopted, or kept for an operator.',
    labelNames: ['domain', 'outcome'],
    registers,
  })
  const workers = new Set<WorkerFacts>()
  new Gauge({
    name: 'commandbus_worker_slots',
    help: 'Handlers that the workers of this process may run at once.',
    labelNames: ['domain'],
    registers,
    collect() {
      this.reset()
      for (const { domain, slots } of workers) this.inc({ domain }, slots)
    },
  })
  new Gauge({
    name: 'commandbus_worker_slots_busy',
    help: 'Handlers that run now.',
    labelNames: ['domain'],
    registers,
    collect() {
      this.reset()
      for (const { domain, busy } of workers) this.inc({ domain }, busy())
    },
  })
  new Gauge({
    name: 'commandbus_pool_connections',
    help: 'Connections to the database by pool: total, idle, and callers who wait for one.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      this.reset()
      for (const [pool, { totalCount, idleCount, waitingCount }] of Object.entries(pools?.() ?? {})) {
        this.set({ pool, state: 'total' }, totalCount)
        this.set({ pool, state: 'idle' }, idleCount)
        this.set({ pool, state: 'waiting' }, waitingCount)
      }
    },
  })

  if (options.follower !== undefined) createFollowerGauges(registers, options.follower)
  if (options.replica !== undefined) createReplicaGauges(registers, options.replica)
  if (options.proof !== undefined) createProofGauges(registers, options.proof)
  const gauges = database === undefined ? null : createDatabaseGauges(registers)
  const readStats = database === undefined ? null : cachedFor(SCRAPE_CACHE_MS, database)
  const refresh = async (): Promise<void> => {
    try {
      if (readStats !== null) gauges?.set(await readStats())
    } catch (error) {
      gauges?.clear()
      log.warn({ err: error }, 'the figures for the metrics could not be read from the database')
    }
  }

  const snapshot = async (): Promise<MetricsSnapshot> => {
    await refresh()
    return registry.getMetricsAsJSON()
  }

  const telemetry: Telemetry = {
    sending: ({ domain, commandTypes }) => ({
      traceparent: undefined,
      done: outcomes => {
        outcomes.forEach((outcome, i) => {
          commands.inc({ ...labels(domain, commandTypes[i] ?? ''), outcome })
        })
      },
      failed: () => {},
    }),
    attempting: ({ domain, commandType }) => {
      const began = performance.now()
      let tookMs: number | undefined
      return {
        run: handler => handler(),
        handled: () => {
          tookMs = performance.now() - began
        },
        ended: ({ outcome }) => {
          const of = { ...labels(domain, commandType), outcome }
          commands.inc(of)
          durations.observe(of, (tookMs ?? performance.now() - began) / 1000)
        },
      }
    },
    working: facts => {
      workers.add(facts)
      return () => {
        workers.delete(facts)
      }
    },
    strangers: ({ domain, adopted, kept }) => {
      if (adopted > 0) strangers.inc({ domain, outcome: 'adopted' }, adopted)
      if (kept > 0) strangers.inc({ domain, outcome: 'kept' }, kept)
    },
  }

  return {
    telemetry,
    contentType: registry.contentType,
    snapshot,
    page: async (others = []) => {
      if (others.length > 0)
        return AggregatorRegistry.aggregate([await snapshot(), ...others].map(one => [...one])).metrics()
      await refresh()
      return registry.metrics()
    },
  }
}
