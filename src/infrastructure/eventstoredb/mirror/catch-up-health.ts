import type { FeedPosition } from '../../../application/ports/event-feed.ts'
import { type SetAside, setAsideReasons } from './set-aside.ts'

/**
 * `following`: applies events as they arrive. `standby`: another process does. `retrying`: the log or the database is away.
 * `faulted`: stopped at an event that cannot be applied, until `resume`.
 */
export type CatchUpState = 'stopped' | 'starting' | 'standby' | 'following' | 'retrying' | 'faulted'

/** How far the follower of EventStoreDB is, and what is wrong with it. */
export interface CatchUpHealth {
  readonly status: 'healthy' | 'degraded' | 'critical'
  readonly reasons: readonly string[]
  readonly state: CatchUpState
  /** The event that stopped the projection. */
  readonly fault: { readonly stream: string; readonly revision: number; readonly message: string } | null
  /** Milliseconds behind the log, as far as this process has seen it. */
  readonly lagMs: number
  /** The last position this process has committed. */
  readonly position: FeedPosition | null
  /** Events this process has applied. */
  readonly applied: number
  /** Events of other programs, in streams named like the bus's, that this process has skipped. */
  readonly passedOver: number
  /** Commands sent in transactions that the log refuses; the reasons name one. */
  readonly setAside: number
}

const DEGRADED_LAG_MS = 5_000
const CRITICAL_AFTER_MS = 10_000

export interface CatchUpStats extends Omit<CatchUpHealth, 'status' | 'reasons' | 'setAside'> {
  readonly projection: string
  /** Milliseconds since it was last known to be healthy; 0: it is. */
  readonly troubledMs: number
  /** Milliseconds since EventStoreDB last reported the end of its log; 0 where nobody asks. */
  readonly unansweredMs: number
  readonly lastError: string
}

const isActive = (state: CatchUpState): boolean => state === 'following' || state === 'standby'

export const healthOf = (stats: CatchUpStats): CatchUpHealth => {
  const { projection, troubledMs, unansweredMs, lastError, ...shown } = stats
  const { state, fault, lagMs } = shown
  const seconds = (ms: number): number => Math.round(ms / 1000)
  const reasons = [
    ...(state === 'stopped' ? [`the projection '${projection}' is not started`] : []),
    ...(fault === null
      ? []
      : [
          `the projection '${projection}' stopped at revision ${fault.revision} of '${fault.stream}': ${fault.message}`,
        ]),
    ...(state === 'starting' ? ['the log is not followed yet'] : []),
    ...(state === 'retrying' || (isActive(state) && troubledMs > 0)
      ? [`the log has not been followed for ${seconds(troubledMs)} s: ${lastError}`]
      : []),
    ...(unansweredMs > DEGRADED_LAG_MS ? [`EventStoreDB has not answered for ${seconds(unansweredMs)} s`] : []),
    ...(lagMs > DEGRADED_LAG_MS ? [`messages and rows are ${seconds(lagMs)} s behind the log`] : []),
  ]
  const isCritical = state === 'stopped' || fault !== null || troubledMs > CRITICAL_AFTER_MS
  return {
    ...shown,
    setAside: 0,
    status: isCritical ? 'critical' : reasons.length > 0 ? 'degraded' : 'healthy',
    reasons,
  }
}

/** The health with the commands that the relay has set aside. */
export const withSetAside = (health: CatchUpHealth, setAside: SetAside): CatchUpHealth =>
  setAside.count === 0
    ? health
    : {
        ...health,
        setAside: setAside.count,
        status: health.status === 'healthy' ? 'degraded' : health.status,
        reasons: [...health.reasons, ...setAsideReasons(setAside)],
      }
