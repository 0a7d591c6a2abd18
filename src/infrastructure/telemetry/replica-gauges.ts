import { Gauge, type Registry } from 'prom-client'
import type { ReplicaHealth } from '../postgres/replica/replica.ts'

/** Gauges of the replica, as this process has seen it. */
export const createReplicaGauges = (registers: Registry[], health: () => ReplicaHealth | null): void => {
  new Gauge({
    name: 'commandbus_replica_used',
    help: 'Whether lists and histories are read from the replica; 0: from the primary.',
    registers,
    aggregator: 'first',
    collect() {
      this.set(health()?.state === 'used' ? 1 : 0)
    },
  })
  new Gauge({
    name: 'commandbus_replica_lag_seconds',
    help: 'How old what the replica shows is at most; absent while that is not known.',
    registers,
    aggregator: 'first',
    collect() {
      const lagSeconds = health()?.lagSeconds ?? null
      if (lagSeconds === null) this.remove()
      else this.set(lagSeconds)
    },
  })
}
