import type { CommandKey } from '../../../domain/command/events.ts'
import type { CommandStatus } from '../../../domain/command/transitions.ts'
import type { CommandView, TroubleshootingFilter } from './command-queries.ts'
import type { CreditEntry, WorkflowRun } from './workflow-queries.ts'

export interface ParkedAtFilter extends Omit<TroubleshootingFilter, 'cursor'> {
  /** The instant to look at; ISO 8601. */
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
  /** There may be more, even where this page is short or empty: a page looks at a bounded number of parkings. */
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

/** What belongs together, each oldest first. */
export interface Related {
  readonly runs: readonly RelatedRun[]
  readonly entries: readonly RelatedEntry[]
  readonly commands: readonly CommandView[]
}

/** How many commands are in a status. */
export interface StatusCount {
  readonly status: CommandStatus
  readonly count: number
}

/** Looking back: by key and by index, whatever the size of the log. */
export interface InvestigationQueries {
  readonly parkedAt: (filter: ParkedAtFilter) => Promise<ParkedThenPage>
  /**
   * Up to `limit` commands: those with the correlation id, and whatever is their parent, their child, or caused by one of
   * them. Oldest first.
   */
  readonly related: (filter: CausalFilter, limit: number) => Promise<readonly CommandView[]>
  /**
   * The same where there are more than `limit`: the room goes to those that failed or are parked, then to what led to
   * them, then to what is not over, then to the rest; each oldest first. `counts` are of the correlation id alone, of
   * the first 50,000 that are found.
   */
  readonly relatedFirst: (
    filter: CausalFilter,
    limit: number,
  ) => Promise<{ readonly commands: readonly CommandView[]; readonly counts: readonly StatusCount[] }>
  /** The runs with these ids, and up to `limit` entries of what they were charged and given back. Texts that are no ids find nothing. */
  readonly relatedRuns: (filter: RunsFilter, limit: number) => Promise<Pick<Related, 'runs' | 'entries'>>
}
