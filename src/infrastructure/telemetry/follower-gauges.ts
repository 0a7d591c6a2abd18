import { Gauge, type Registry } from 'prom-client'
import type { CatchUpHealth } from '../eventstoredb/mirror/catch-up-health.ts'

/** Gauges of the follower of a log outside PostgreSQL. Only one process follows: use sums and maxima over all processes. */
export const createFollowerGauges = (registers: Registry[], health: () => CatchUpHealth | null): void => {
  new Gauge({
    name: 'commandbus_log_following',
    help: 'Processes that bring the log to PostgreSQL; 1 is right.',
    registers,
    aggregator: 'sum',
    collect() {
      const now = health()
      if (now === null) this.remove()
      else this.set(now.state === 'following' ? 1 : 0)
    },
  })
  new Gauge({
    name: 'commandbus_log_lag_seconds',
    help: 'How far rows and messages are behind the log, where this process follows it.',
    registers,
    aggregator: 'max',
    collect() {
      const now = health()
      if (now === null) this.remove()
      else this.set(now.lagMs / 1000)
    },
  })
  new Gauge({
    name: 'commandbus_log_applied_events',
    help: 'Events of the log that this process has applied.',
    registers,
    aggregator: 'sum',
    collect() {
      const now = health()
      if (now === null) this.remove()
      else this.set(now.applied)
    },
  })
  new Gauge({
    name: 'commandbus_log_passed_over_events',
    help: 'Events of others in streams named like ours that this process has passed over.',
    registers,
    aggregator: 'sum',
    collect() {
      const now = health()
      if (now === null) this.remove()
      else this.set(now.passedOver)
    },
  })
  new Gauge({
    name: 'commandbus_log_refused_commands',
    help: 'Commands sent in transactions that the log does not take.',
    registers,
    aggregator: 'max',
    collect() {
      const now = health()
      if (now === null) this.remove()
      else this.set(now.setAside)
    },
  })
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
