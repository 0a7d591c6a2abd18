import type { Step } from '../../domain/history.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { RunEvent } from '../../domain/workflow-run/events.ts'
import { historyOfRun, type RunSnapshot, type RunSummary } from '../../domain/workflow-run/history.ts'
import {
  type Comparison,
  type HistoryOptions,
  type MomentView,
  momentsOf,
  toldOf,
} from '../investigation/read-history.ts'

export type RunHistoryOptions = Omit<HistoryOptions, 'tenantId'>

export interface RunHistory {
  /** The run. */
  readonly id: string
  /**
   * Oldest first: all of it, up to `at`, or between the two moments that are compared. The states are without the files:
   * what became of them stands in the differences, at `/files/<index>`.
   */
  readonly items: readonly Step<RunEvent, RunSummary>[]
  /** At the moment asked for, else now, with every file. Null: it had not begun. */
  readonly state: RunSnapshot | null
  readonly comparison: Comparison<RunSummary> | null
}

/** The history of one run from its events, all of them, wherever they come from. @throws InvalidInputError */
export const replayRun = (
  id: string,
  events: readonly Recorded<RunEvent>[],
  options: RunHistoryOptions = {},
): RunHistory => {
  const { items, state, comparison } = toldOf(historyOfRun(events), momentsOf(options))
  return {
    id,
    items: items.map(step => ({ ...step, state: withoutFiles(step.state) })),
    state,
    comparison:
      comparison === null ? null : { ...comparison, from: viewOf(comparison.from), to: viewOf(comparison.to) },
  }
}

const withoutFiles = ({ files: _, ...summary }: RunSnapshot): RunSummary => summary

const viewOf = ({ state, ...view }: MomentView<RunSnapshot>): MomentView<RunSummary> => ({
  ...view,
  state: state === null ? null : withoutFiles(state),
})
