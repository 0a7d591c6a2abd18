/** `critical`: it cannot work. `degraded`: it works, but somebody should read the reasons. */
export interface HealthStatus {
  readonly status: 'healthy' | 'degraded' | 'critical'
}

export interface PartHealth extends HealthStatus {
  readonly reasons: readonly string[]
}

/** The health of one part, and facts about it. */
export interface Check extends PartHealth {
  readonly [fact: string]: unknown
}

/** What `/health/ready` answers, with 200 or 503, to those who may see it; others get a `HealthStatus`. */
export interface HealthReport extends PartHealth {
  readonly checks: { readonly [part: string]: Check }
}
