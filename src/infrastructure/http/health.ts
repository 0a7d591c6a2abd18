import type { FastifyInstance } from 'fastify'
import type { Check, HealthReport } from './contract/health.ts'

export type { Check, HealthReport }

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
