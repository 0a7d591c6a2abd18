import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createBaseApp } from '../http/base-app.ts'
import type { HealthReport } from '../http/health.ts'
import { closeHttp, listen } from '../http/listen.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface WorkerHttpOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  readonly health: () => HealthReport
  readonly metrics: Metrics
  readonly log: Logger
}

export interface WorkerHttp {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Probes and scrapes are short: a stop does not wait for a client that is slow. */
const IN_FLIGHT_MS = 500

/** `/health/live`, `/health/ready` and `/metrics` of a worker process. @throws CommandBusError LISTEN_FAILED */
export const serveWorkerHttp = async ({ host, port, health, metrics, log }: WorkerHttpOptions): Promise<WorkerHttp> => {
  const app: FastifyInstance = await createBaseApp({ log, health: async () => health(), metrics })
  const url = await listen(app, host, port)
  return { url, close: () => closeHttp(app, IN_FLIGHT_MS) }
}
