import type { Client } from 'pg'
import type { BusEvent } from '../../../domain/bus-event.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import type { CatchUpHealth } from './catch-up-health.ts'
import type { AwaitedEvent, Dispatched, WaitOptions } from './waiting.ts'

/** What brings the log to PostgreSQL; one process of the fleet does, the others stand by. */
export interface Follower {
  readonly health: () => CatchUpHealth
  /** Goes on after a fault whose cause is mended. */
  readonly resume: () => void
  /** Waits until an event has its rows and messages, whichever process applies it. */
  readonly waitFor: (awaited: AwaitedEvent, options?: WaitOptions) => Promise<Dispatched>
}

/**
 * Other limits than the usual ones, for tests. Public declarations name this type and not the options of the parts, whose
 * declarations need those of EventStoreDB's client.
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
