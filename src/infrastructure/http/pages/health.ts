import type { FastifyInstance } from 'fastify'
import type { Check, HealthReport } from '../../../contract/health.ts'
import { cachedFor } from '../../shared/cached.ts'
import type { Watch } from './watch.ts'

export type { Check, HealthReport }

const RETRY_SECONDS = '2'

export interface HealthOptions {
  readonly health: () => Promise<HealthReport>
  /**
   * How long a report is reused, so that a thousand probes cost one check. Default 1,000; 0 if `health` needs nothing outside
   * the process.
   */
  readonly keptMs?: number
}

/**
 * `/health/live`: the process answers. `/health/ready`: it can do its work; 503 when it cannot. Everybody gets the status;
 * only callers that `watch` accepts get the reasons and checks.
 */
export const addHealth = (
  app: FastifyInstance,
  { health, keptMs = 1_000 }: HealthOptions,
  watch: Watch | null,
): void => {
  const report = cachedFor(keptMs, health)
  const mayWatch = async (authorization: string | undefined): Promise<boolean> =>
    watch !== null &&
    authorization !== undefined &&
    (await watch(authorization).then(
      () => true,
      // a probe with a token that has expired is still a probe
      () => false,
    ))

  app.get('/health/live', () => ({ status: 'alive', pid: process.pid, uptimeSeconds: Math.round(process.uptime()) }))

  app.get('/health/ready', async (request, reply) => {
    const [whole, all] = await Promise.all([report(), mayWatch(request.headers.authorization)])
    reply.header('cache-control', 'no-store').header('vary', 'authorization')
    if (whole.status === 'critical') reply.code(503).header('retry-after', RETRY_SECONDS)
    return all ? whole : { status: whole.status }
  })
}
