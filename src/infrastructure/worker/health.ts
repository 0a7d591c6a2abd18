import type { Clock } from '../../application/ports/clock.ts'
import type { Health } from '../../application/ports/reading/stats.ts'
import { POOLED_TRANSACTIONS } from '../postgres/connection/pooling.ts'
import type { HeldUp } from './attempt/long-running.ts'
import type { PausingState } from './flow/pausing.ts'

const CRITICAL_AFTER_MS = 10_000
const MARGIN_MS = 1_000
/** Time for the statements of a round, beside its wait. */
const ROUND_MS = 5_000

interface Watched {
  /** Null: this pooler does not allow a doorbell, which is not a fault. */
  readonly doorbell: () => boolean | null
  /** Since when leases are not extended; null: they are. */
  readonly heartbeat: () => Date | null
}

export interface HealthOptions {
  readonly clock: Clock
  readonly pollMs: number
  readonly leaseMs: number
  readonly reporterFailingSince: () => Date | null
  readonly heldUp?: () => HeldUp
  readonly paused?: () => PausingState
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number
}

type Phase = 'waiting' | 'fetching' | 'stopping' | 'stopped'

/** A worker's health, from what its fetcher does and when it last did so. */
export const createHealth = (options: HealthOptions) => {
  const { clock, pollMs, leaseMs, reporterFailingSince, heldUp, paused, now = monotonic } = options
  let phase: Phase = 'waiting'
  let watched: Watched | null = null
  let lastRound = 0
  let failingSince: Date | null = null
  /** Until then a read without messages proves nothing: those that failed are hidden until their lease ends. */
  let failsUntil = 0

  const seconds = (since: Date): number => Math.round((clock.now().getTime() - since.getTime()) / 1000)
  const lasting = (since: Date | null): boolean =>
    since !== null && clock.now().getTime() - since.getTime() >= CRITICAL_AFTER_MS

  const stuckMs = (): number => {
    const quiet = now() - lastRound
    return phase === 'fetching' && quiet > pollMs + ROUND_MS ? quiet : 0
  }

  return {
    watch: (parts: Watched): void => {
      watched = parts
      lastRound = now()
      phase = phase === 'waiting' ? 'fetching' : phase
    },
    /** The fetcher begins its next round. */
    round: (): void => {
      lastRound = now()
    },
    /** A round has succeeded. */
    fetched: (messages: number): void => {
      if (messages > 0 || now() >= failsUntil) failingSince = null
    },
    /** A round has failed; `read`: it had read messages already. */
    failed: (read: boolean): void => {
      failingSince ??= clock.now()
      if (read) failsUntil = now() + leaseMs + pollMs + MARGIN_MS
    },
    stopping: (): void => {
      phase = 'stopping'
    },
    stopped: (): void => {
      phase = 'stopped'
    },
    report: (): Health => {
      if (phase === 'waiting') return { status: 'critical', reasons: ['the worker is not started'] }
      if (phase === 'stopped') return { status: 'critical', reasons: ['the worker has stopped'] }
      const reporting = reporterFailingSince()
      const beating = watched?.heartbeat() ?? null
      const stuck = stuckMs()
      const held = heldUp?.()
      const { all = false, some = 0, staleMs = 0 } = paused?.() ?? {}
      const reasons = [
        ...(phase === 'stopping' ? ['the worker is stopping'] : []),
        ...(stuck === 0 ? [] : [`nothing was fetched for ${Math.round(stuck / 1000)} s`]),
        ...(failingSince === null ? [] : [`the queue could not be read for ${seconds(failingSince)} s`]),
        ...(reporting === null ? [] : [`outcomes could not be recorded for ${seconds(reporting)} s`]),
        ...(beating === null ? [] : [`leases could not be extended for ${seconds(beating)} s`]),
        ...(staleMs === 0 ? [] : [`what is paused could not be read for ${Math.round(staleMs / 1000)} s`]),
        ...(phase === 'fetching' && watched?.doorbell() === false
          ? ['the doorbell is not connected: new work is found by polling']
          : []),
        ...(held?.reasons ?? []),
      ]
      const notes = [
        ...(watched?.doorbell() === null ? [POOLED_TRANSACTIONS] : []),
        ...(all ? ['the domain is paused: nothing is begun until it is resumed'] : []),
        ...(some > 0 && !all ? ['some types or tenants of the domain are paused'] : []),
      ]
      const critical =
        held?.critical === true ||
        stuck >= CRITICAL_AFTER_MS + ROUND_MS ||
        staleMs >= CRITICAL_AFTER_MS ||
        lasting(failingSince) ||
        lasting(reporting) ||
        lasting(beating)
      return {
        status: critical ? 'critical' : reasons.length > 0 ? 'degraded' : 'healthy',
        reasons: [...reasons, ...notes],
      }
    },
  }
}

const monotonic = (): number => performance.now()
