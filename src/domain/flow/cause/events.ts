import type { Instant } from '../../instant.ts'

/** Why commands are parked: those of one domain and type whose last error has this code. */
export interface CauseKey {
  readonly domain: string
  readonly commandType: string
  readonly errorCode: string
}

interface Fact extends CauseKey {
  readonly at: Instant
  readonly actor: string
}

export interface CauseNoted extends Fact {
  readonly type: 'CauseNoted'
  readonly text: string
  /** The first note of a cause is 1. */
  readonly number: number
}

/** Null: nobody takes care of it. */
export interface CauseAssigned extends Fact {
  readonly type: 'CauseAssigned'
  readonly assignee: string | null
}

/** All tags that the cause has now. */
export interface CauseTagged extends Fact {
  readonly type: 'CauseTagged'
  readonly tags: readonly string[]
}

/** Until then its parked commands are left out of counts and alerts. Null: no longer. */
export interface CauseInvestigated extends Fact {
  readonly type: 'CauseInvestigated'
  readonly until: Instant | null
  readonly reason: string | null
}

export type CauseEvent = CauseNoted | CauseAssigned | CauseTagged | CauseInvestigated
