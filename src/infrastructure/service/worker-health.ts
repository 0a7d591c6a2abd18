import type { CatchUpHealth } from '../eventstoredb/mirror/catch-up-health.ts'
import type { Check, HealthReport } from '../http/pages/health.ts'
import type { Worker } from '../worker/worker-api.ts'
import { followerCheck } from './checks.ts'
import { worst } from './worker-report.ts'

export interface WorkerParts {
  /** Empty until the workers are made. */
  readonly workers: readonly { readonly domain: string; readonly worker: Pick<Worker, 'health'> }[]
  /** The follower of a log outside PostgreSQL. */
  readonly follower: CatchUpHealth | undefined
  readonly stopping: boolean
}

/** The health of a worker process. It makes no calls out of the process, so it may be read often. */
export const workerHealth = ({ workers, follower, stopping }: WorkerParts): HealthReport => {
  const checks: { [part: string]: Check } = {}
  for (const { domain, worker } of workers) checks[`worker:${domain}`] = { ...worker.health() }
  if (follower !== undefined) checks.eventStore = followerCheck(follower)
  if (workers.length === 0) checks.worker = { status: 'critical', reasons: ['the worker is starting'] }
  if (stopping) checks.process = { status: 'critical', reasons: ['the worker is stopping'] }
  return { ...worst(Object.values(checks)), checks }
}
