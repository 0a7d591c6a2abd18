import type { FastifyInstance } from 'fastify'
import type { Health } from '../worker/health.ts'

/** The health of one part, and facts about it. */
export interface Check extends Health {
  readonly [fact: string]: unknown
}

/** `critical` takes no traffic; `degraded` does, but somebody should look at the reasons. */
export interface HealthReport extends Health {
  readonly checks: { readonly [part: string]: Check }
}

const RETRY_SECONDS = '2'

/** `/health/live`: the process answers. `/health/ready`: it can do its work; 503 with the reasons when it cannot. */
export const addHealth = (app: FastifyInstance, health: () => Promise<HealthReport>): void => {
  app.get('/health/live', () => ({ status: 'alive', pid: process.pid, uptimeSeconds: Math.round(process.uptime()) }))

  app.get('/health/ready', async (_, reply) => {
    const report = await health()
    reply.header('cache-control', 'no-store')
    if (report.status === 'critical') reply.code(503).header('retry-after', RETRY_SECONDS)
    return report
  })
}
