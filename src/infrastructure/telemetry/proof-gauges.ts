import { Gauge, type Registry } from 'prom-client'
import type { ProofStats } from '../proof/background-check.ts'

/** Gauges of the background check; absent until it has run. */
export const createProofGauges = (registers: Registry[], proof: () => ProofStats | null): void => {
  const gauge = (name: string, help: string, of: (stats: ProofStats) => number | null): void => {
    new Gauge({
      name: `commandbus_proof_${name}`,
      help,
      registers,
      aggregator: 'first',
      collect() {
        const stats = proof()
        const value = stats === null ? null : of(stats)
        if (value === null) this.remove()
        else this.set(value)
      },
    })
  }
  gauge('findings', 'Things that do not fit the log, found by the continuous check.', stats => stats.findings)
  gauge('seal_lag_seconds', 'Age of the oldest event that no seal covers.', stats => stats.sealLagSeconds)
  gauge('verified_timestamp_seconds', 'When the continuous check last ended a round through the whole log.', stats =>
    stats.verifiedAt === null ? null : stats.verifiedAt / 1000,
  )
}
