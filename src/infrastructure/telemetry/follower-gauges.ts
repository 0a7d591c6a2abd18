import { Gauge, type Registry } from 'prom-client'
import type { CatchUpHealth } from '../eventstoredb/mirror/catch-up-health.ts'

/** Gauges of the follower of a log outside PostgreSQL. Only one process follows: use sums and maxima over all processes. */
export const createFollowerGauges = (registers: Registry[], health: () => CatchUpHealth | null): void => {
  const gauge = (aggregator: 'sum' | 'max', name: string, help: string, of: (now: CatchUpHealth) => number): void => {
    new Gauge({
      name: `commandbus_log_${name}`,
      help,
      registers,
      aggregator,
      collect() {
        const now = health()
        if (now === null) this.remove()
        else this.set(of(now))
      },
    })
  }
  gauge('sum', 'following', 'Processes that bring the log to PostgreSQL; 1 is right.', now =>
    now.state === 'following' ? 1 : 0,
  )
  gauge(
    'max',
    'lag_seconds',
    'How far rows and messages are behind the log, where this process follows it.',
    now => now.lagMs / 1000,
  )
  gauge('sum', 'applied_events', 'Events of the log that this process has applied.', now => now.applied)
  gauge(
    'sum',
    'passed_over_events',
    'Events of others in streams named like ours that this process has passed over.',
    now => now.passedOver,
  )
  gauge('max', 'refused_commands', 'Commands sent in transactions that the log does not take.', now => now.setAside)
  new Gauge({
    name: 'commandbus_log_faulted',
    help: 'The event that has stopped the projection, while it is stopped.',
    labelNames: ['stream', 'revision'],
    registers,
    aggregator: 'max',
    collect() {
      this.reset()
      const fault = health()?.fault ?? null
      if (fault !== null) this.set({ stream: fault.stream, revision: String(fault.revision) }, 1)
    },
  })
}
