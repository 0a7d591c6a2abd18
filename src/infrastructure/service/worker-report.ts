import type { Health } from '../../application/ports/reading/stats.ts'
import type { MetricsSnapshot } from '../telemetry/metrics.ts'

/** A worker process sends this to its supervisor a few times a second. */
export interface WorkerReport {
  readonly kind: 'worker-report'
  readonly workers: readonly { readonly domain: string; readonly workerId: string }[]
  /** The worst of all its workers. */
  readonly health: Health
  /** Its metrics, in some of the reports. */
  readonly metrics?: MetricsSnapshot
}

export const isWorkerReport = (message: unknown): message is WorkerReport =>
  typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'worker-report'

const severity: readonly Health['status'][] = ['healthy', 'degraded', 'critical']

/** The worst status, with all reasons. */
export const worst = (all: readonly Health[]): Health => ({
  status: severity[Math.max(0, ...all.map(health => severity.indexOf(health.status)))] ?? 'critical',
  reasons: [...new Set(all.flatMap(health => health.reasons))],
})
