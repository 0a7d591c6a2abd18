import type { Client } from 'pg'
import type { BusEvent } from '../../../domain/bus-event.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import type { CatchUpHealth } from './catch-up-health.ts'
import type { AwaitedEvent, Dispatched, WaitOptions } from './waiting.ts'

/** Applies the log to PostgreSQL in one process; the others are on standby. */
export interface Follower {
  /** How far it is, and what is wrong. */
  readonly health: () => CatchUpHealth
  /** Goes on after the cause of a fault has been repaired. */
  readonly resume: () => void
  /** Waits until an event has its rows and messages, applied by any process. */
  readonly waitFor: (awaited: AwaitedEvent, options?: WaitOptions) => Promise<Dispatched>
}

/**
 * Limits for tests. Public declarations use this type instead of the parts' own options, whose declarations import those of
 * EventStoreDB's client.
 */
export interface EventStoreDbLimits {
  readonly timeoutMs?: number
  readonly retryMs?: number
  readonly batch?: number
  readonly probeMs?: number
  readonly standbyMs?: number
  readonly stallMs?: number
  readonly refusedMs?: number
  readonly codec?: EventCodec<BusEvent>
  readonly newClient?: () => Client
}
