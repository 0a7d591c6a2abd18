import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createBaseApp } from '../http/base-app.ts'
import { createIdentify } from '../http/identity/identity.ts'
import { closeHttp, listen } from '../http/listen.ts'
import type { HealthReport } from '../http/pages/health.ts'
import { createWatch, type Watch } from '../http/pages/watch.ts'
import type { Config } from '../settings/config.ts'
import { identityOptions } from '../settings/identity-options.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface WorkerHttpOptions {
  readonly config: Config
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

/** How long a stop waits for running requests: probes and scrapes are short. */
const IN_FLIGHT_MS = 500

/** `/health/live`, `/health/ready` and, without a token, `/metrics` of a worker process. @throws CommandBusError LISTEN_FAILED */
export const serveWorkerHttp = async ({ config, port, log, ...options }: WorkerHttpOptions): Promise<WorkerHttp> => {
  const app: FastifyInstance = await createBaseApp({
    log,
    watch: await watchOf(config, log),
    health: { health: async () => options.health(), keptMs: 0 },
    metrics: { contentType: options.metrics.contentType, page: () => options.metrics.page(), open: true },
  })
  const url = await listen(app, config.host, port)
  return { url, close: () => closeHttp(app, IN_FLIGHT_MS) }
}

/** Null: it is not configured who signs tokens, and health shows only the status. */
const watchOf = async (config: Config, log: Logger): Promise<Watch | null> => {
  try {
    return createWatch(createIdentify(await identityOptions(config)))
  } catch (error) {
    log.info({ err: error }, 'health shows the status only, as it is not configured who signs tokens')
    return null
  }
}
