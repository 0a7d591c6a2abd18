import type { Clock } from '../../application/ports/clock.ts'

export interface Health {
  /** degraded: work goes on, but something needs a look; critical: no work is done. */
  readonly status: 'healthy' | 'degraded' | 'critical'
  readonly reasons: readonly string[]
}

const CRITICAL_AFTER_MS = 10_000

interface Watched {
  readonly doorbell: () => boolean
  readonly heartbeat: () => Date | null
}

export const createHealth = ({
  clock,
  reporterFailingSince,
}: {
  readonly clock: Clock
  readonly reporterFailingSince: () => Date | null
}) => {
  let awaySince: Date | null = null
  let watched: Watched | null = null

  const seconds = (since: Date): number => Math.round((clock.now().getTime() - since.getTime()) / 1000)
  const lasting = (since: Date | null): boolean =>
    since !== null && clock.now().getTime() - since.getTime() >= CRITICAL_AFTER_MS

  return {
    watch: (parts: Watched): void => {
      watched = parts
    },
    reachable: (): void => {
      awaySince = null
    },
    unreachable: (_: unknown): void => {
      awaySince ??= clock.now()
    },
    report: (): Health => {
      const reporting = reporterFailingSince()
      const beating = watched?.heartbeat() ?? null
      const reasons = [
        ...(watched === null ? ['the worker is not started'] : []),
        ...(awaySince === null ? [] : [`the queue cannot be read for ${seconds(awaySince)} s`]),
        ...(reporting === null ? [] : [`outcomes cannot be recorded for ${seconds(reporting)} s`]),
        ...(beating === null ? [] : [`leases cannot be extended for ${seconds(beating)} s`]),
        ...(watched !== null && !watched.doorbell()
          ? ['the doorbell is not connected: new work is found by polling']
          : []),
      ]
      const critical = watched === null || lasting(awaySince) || lasting(reporting)
      return { status: critical ? 'critical' : reasons.length > 0 ? 'degraded' : 'healthy', reasons }
    },
  }
}
