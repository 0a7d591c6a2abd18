import type { Health } from '../../application/ports/reading/stats.ts'
import type { MetricsSnapshot } from '../telemetry/metrics.ts'

/** What a worker process tells the process that watches over it, a few times a second. */
export interface WorkerReport {
  readonly kind: 'worker-report'
  readonly workers: readonly { readonly domain: string; readonly workerId: string }[]
  /** The worst of all its workers. */
  readonly health: Health
  /** Its metrics, now and then. */
  readonly metrics?: MetricsSnapshot
}

export const isWorkerReport = (message: unknown): message is WorkerReport =>
  typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'worker-report'

const severity: readonly Health['status'][] = ['healthy', 'degraded', 'critical']

/** As bad as the worst, with all reasons. */
export const worst = (all: readonly Health[]): Health => ({
  status: severity[Math.max(0, ...all.map(health => severity.indexOf(health.status)))] ?? 'critical',
  reasons: [...new Set(all.flatMap(health => health.reasons))],
})
