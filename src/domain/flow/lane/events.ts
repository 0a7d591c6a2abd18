import type { Instant } from '../../instant.ts'

interface Fact {
  readonly at: Instant
  readonly actor: string
}

/** What a parked command does to its lane: it keeps its place, or lets the next pass. */
export const onParkChoices = ['hold', 'pass'] as const

export interface LaneSettings {
  /** How many of its commands run at once. */
  readonly width: number
  /** How many begin within a second; null: as many as the width lets. */
  readonly ratePerSecond: number | null
  readonly onPark: (typeof onParkChoices)[number]
}

/** What a rule makes lanes of: one for all commands of a type, one for each tenant, or the lane of each key. */
export const lanesBy = ['type', 'tenant', 'key'] as const

export interface LaneSet extends Fact, LaneSettings {
  readonly type: 'LaneSet'
  readonly domain: string
  readonly lane: string
}

export interface LimitSet extends Fact, LaneSettings {
  readonly type: 'LimitSet'
  readonly domain: string
  readonly name: string
  /** Null: every type. */
  readonly commandType: string | null
  readonly by: (typeof lanesBy)[number]
}

/** Its lanes have no limit any more; those of keys are as without a rule. */
export interface LimitRemoved extends Fact {
  readonly type: 'LimitRemoved'
  readonly domain: string
  readonly name: string
}

export type LaneEvent = LaneSet

export type LimitEvent = LimitSet | LimitRemoved
