import type { Instant } from '../../instant.ts'

interface Fact {
  readonly at: Instant
  readonly actor: string
}

/** What is paused: a domain, or of it only one type, one tenant, or one type of one tenant. */
export interface PauseScope {
  readonly domain: string
  /** Null: every type. */
  readonly commandType: string | null
  /** Null: every tenant, and commands without one. */
  readonly tenantId: string | null
}

export interface FlowPaused extends Fact, PauseScope {
  readonly type: 'FlowPaused'
  readonly reason: string
  /** It ends by itself at this instant, without an event. Null: it ends when it is resumed. */
  readonly until: Instant | null
}

export interface FlowResumed extends Fact {
  readonly type: 'FlowResumed'
}

export type PauseEvent = FlowPaused | FlowResumed
