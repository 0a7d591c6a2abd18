import { allTelemetry, type Telemetry } from './application/ports/telemetry.ts'
import { loadWith } from './infrastructure/shared/optional-packages.ts'

export { allTelemetry, type Telemetry }

/** What `prometheus` counts besides what happens on the bus. */
export interface PrometheusOptions {
  /**
   * A database of the bus, as a connection string, for the gauges of queues, parked commands, workers and replies: they are
   * read at a scrape, at most every five seconds, on one connection. Default: no such gauges.
   */
  readonly databaseUrl?: string
  /** The process's own memory, CPU and event loop. Default false. */
  readonly processMetrics?: boolean
  /** The most pairs of domain and type that have labels of their own. Default 500. */
  readonly maxTypes?: number
}

/** Metrics for Prometheus: give `telemetry` to the bus, and `page` to those who scrape. */
export interface Prometheus {
  /** The option `telemetry` of a bus; several buses may share it. */
  readonly telemetry: Telemetry
  /** The text that a scrape gets. */
  readonly page: () => Promise<string>
  /** The value of its header `content-type`. */
  readonly contentType: string
  /** Closes the connection to the database, if there is one. */
  readonly close: () => Promise<void>
}

/**
 * The metrics of `commandbus worker`, for a process of yours. Needs the package `prom-client`.
 * @throws CommandBusError PACKAGE_MISSING
 * @example
 * const metrics = await prometheus()
 * const bus = createCommandBus({ databaseUrl, telemetry: metrics.telemetry })
 * app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.page()))
 */
export const prometheus = async (options: PrometheusOptions = {}): Promise<Prometheus> => {
  const { databaseUrl, ...rest } = options
  const { createMetrics } = await loadWith(
    '`prometheus` of commandbus/telemetry',
    ['metrics'],
    () => import('./infrastructure/telemetry/metrics.ts'),
  )
  const database = databaseUrl === undefined ? null : await openStats(databaseUrl)
  const metrics = createMetrics({ ...rest, ...(database === null ? {} : { database: database.read }) })
  return {
    telemetry: metrics.telemetry,
    page: () => metrics.page(),
    contentType: metrics.contentType,
    close: async () => database?.close(),
  }
}

const openStats = async (databaseUrl: string) => {
  const [{ createPool }, { readDatabaseStats }] = await Promise.all([
    import('./infrastructure/postgres/transactions/pool.ts'),
    import('./infrastructure/postgres/stats/database-stats.ts'),
  ])
  const pool = createPool(databaseUrl, 1)
  return { read: () => readDatabaseStats(pool), close: () => pool.end() }
}

/**
 * Spans of sends, attempts and replies for the OpenTelemetry SDK that the process registers, and the trace context of commands.
 * Needs the package `@opentelemetry/api`. With Prometheus: `allTelemetry(metrics.telemetry, await openTelemetry())`.
 * @throws CommandBusError PACKAGE_MISSING
 */
export const openTelemetry = async (): Promise<Telemetry> => {
  const { createTracing } = await loadWith(
    '`openTelemetry` of commandbus/telemetry',
    ['tracing'],
    () => import('./infrastructure/telemetry/tracing.ts'),
  )
  return createTracing()
}
