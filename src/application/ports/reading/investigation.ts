import type { CommandKey } from '../../../domain/command/events.ts'
import type { CommandStatus } from '../../../domain/command/transitions.ts'
import type { CommandView, TroubleshootingFilter } from './command-queries.ts'
import type { CreditEntry, WorkflowRun } from './workflow-queries.ts'

export interface ParkedAtFilter extends Omit<TroubleshootingFilter, 'sort' | 'cursor'> {
  /** The instant, ISO 8601. */
  readonly at: string
  readonly cursor?: string
}

/** A command that was parked at the instant, and the event that had parked it. */
export interface ParkedThen extends CommandKey {
  readonly stream: string
  readonly revision: number
}

export interface ParkedThenPage {
  /** Newest parking first. */
  readonly items: readonly ParkedThen[]
  /** Null: the last page. Other pages may be short or empty too: each reads a bounded number of parkings. */
  readonly nextCursor: string | null
}

export interface CausalFilter {
  readonly correlationId: string
  readonly tenantId?: string
}

export interface RunsFilter {
  readonly runIds: readonly string[]
  readonly tenantId?: string
}

export type RelatedRun = Omit<WorkflowRun, 'perFileResults'>

export interface RelatedEntry extends CreditEntry {
  readonly tenantId: string
}

/** What belongs to a correlation id, each list oldest first. */
export interface Related {
  readonly runs: readonly RelatedRun[]
  readonly entries: readonly RelatedEntry[]
  readonly commands: readonly CommandView[]
}

/** The number of commands in a status. */
export interface StatusCount {
  readonly status: CommandStatus
  readonly count: number
}

/** Reads the past by key and by index, so that the size of the log does not matter. */
export interface InvestigationQueries {
  readonly parkedAt: (filter: ParkedAtFilter) => Promise<ParkedThenPage>
  /**
   * Up to `limit` commands: those with the correlation id, their parents and children, and the commands that they caused.
   * Oldest first.
   */
  readonly related: (filter: CausalFilter, limit: number) => Promise<readonly CommandView[]>
  /**
   * The same if there are more than `limit`. In order of precedence: failed and parked commands, their causes, unfinished
   * commands, then the rest; each oldest first. `counts` are of the correlation id only, up to its first 50,000
   * commands.
   */
  readonly relatedFirst: (
    filter: CausalFilter,
    limit: number,
  ) => Promise<{ readonly commands: readonly CommandView[]; readonly counts: readonly StatusCount[] }>
  /** The runs with these ids, and up to `limit` of their charges and refunds. A text that is not a valid id finds nothing. */
  readonly relatedRuns: (filter: RunsFilter, limit: number) => Promise<Pick<Related, 'runs' | 'entries'>>
}
