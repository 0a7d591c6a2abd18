import type { FastifyInstance } from 'fastify'
import { cachedFor } from '../../shared/cached.ts'
import type { Watch } from './watch.ts'

export interface MetricsPage {
  readonly contentType: string
  readonly page: () => Promise<string>
}

/** How long a page is reused. */
const KEPT_MS = 1_000

/** `/metrics`, for callers that `watch` accepts; null: for everybody. */
export const addMetricsPage = (app: FastifyInstance, { contentType, page }: MetricsPage, watch: Watch | null): void => {
  const shared = cachedFor(KEPT_MS, page)
  app.get('/metrics', async (request, reply) => {
    await watch?.(request.headers.authorization)
    return reply
      .type(contentType)
      .header('cache-control', 'no-store')
      .send(await shared())
  })
}
