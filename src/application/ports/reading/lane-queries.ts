import type { LaneSettings, LimitSet } from '../../../domain/flow/lane/events.ts'
import type { Scope } from '../authorization.ts'
import type { Page } from './command-queries.ts'

/** A command that keeps its lane from going on. */
export interface LaneBlocker {
  /** Null: a command of another tenant. */
  readonly commandId: string | null
  readonly since: string
  /** `PARKED`: until an operator decides. `RETRY`: until its next attempt. */
  readonly why: 'PARKED' | 'RETRY'
}

/** A lane that has commands, or settings of its own. Times are ISO 8601. */
export interface Lane extends Omit<LaneSettings, 'width'> {
  readonly domain: string
  readonly lane: string
  /** Null: no limit, as the rule that made the lane was removed. */
  readonly width: number | null
  /** The rule that put its last command there; null: none, or it has no commands. */
  readonly limit: string | null
  /** Commands that run, or may begin: the first 100. */
  readonly running: readonly string[]
  /** Commands that wait; 1,000 stands for 1,000 or more. */
  readonly waiting: number
  /** Since when the first of them waits. */
  readonly waitingSince: string | null
  /** Set if no place is free, and nothing runs that would make room. */
  readonly blockedBy: LaneBlocker | null
}

/** With a tenant in the scope: lanes with commands of it, of which nothing else is shown. */
export interface LaneFilter extends Scope {
  readonly domain?: string
  /** Only those that are blocked, or only those that are not. */
  readonly blocked?: boolean
  /** 1-500, default 100. */
  readonly limit?: number
  readonly cursor?: string
}

/** A rule that puts commands into lanes when they are sent. */
export interface Limit extends LaneSettings, Pick<LimitSet, 'domain' | 'name' | 'commandType' | 'by'> {
  readonly updatedBy: string
  readonly updatedAt: string
}

export interface LaneQueries {
  /** By domain and name. */
  readonly list: (filter: LaneFilter) => Promise<Page<Lane>>
  /** One lane, whether it has commands or not. */
  readonly one: (domain: string, lane: string, scope: Scope) => Promise<Lane>
  readonly limit: (domain: string, name: string) => Promise<Limit | null>
  /** By domain and name: the first 1,000. */
  readonly limits: (domain: string | null) => Promise<readonly Limit[]>
}
