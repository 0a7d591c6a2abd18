import { Gauge, type Registry } from 'prom-client'
import type { ProofFigures } from '../proof/background-check.ts'

/** Gauges of the background check; absent until it has figures. */
export const createProofGauges = (registers: Registry[], proof: () => ProofFigures | null): void => {
  const gauge = (name: string, help: string, of: (figures: ProofFigures) => number | null): void => {
    new Gauge({
      name: `commandbus_proof_${name}`,
      help,
      registers,
      aggregator: 'first',
      collect() {
        const figures = proof()
        const value = figures === null ? null : of(figures)
        if (value === null) this.remove()
        else this.set(value)
      },
    })
  }
  gauge('findings', 'Things that do not fit the log, found by the continuous check.', figures => figures.findings)
  gauge('seal_lag_seconds', 'Age of the oldest event that no seal covers.', figures => figures.sealLagSeconds)
  gauge('verified_timestamp_seconds', 'When the continuous check last ended a round through the whole log.', figures =>
    figures.verifiedAt === null ? null : figures.verifiedAt / 1000,
  )
}
