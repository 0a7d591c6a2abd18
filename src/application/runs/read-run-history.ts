import { type Step, snapshotDiff } from '../../domain/history.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { RunEvent } from '../../domain/workflow-run/events.ts'
import { historyOfRun, type RunSnapshot, type RunSummary, runAt } from '../../domain/workflow-run/history.ts'
import { type Comparison, type HistoryOptions, momentsOf, selectHistory } from '../investigation/read-history.ts'

/** Which moments of a workflow run `runs.history` returns. */
export type RunHistoryOptions = Omit<HistoryOptions, 'tenantId'>

/** The events of a workflow run, with its state after each. */
export interface RunHistory {
  /** The run's id. */
  readonly id: string
  /**
   * Oldest first: all events, those up to `at`, or those between `from` and `to`. The states are without files; the
   * differences show changes of files at `/files/<index>`.
   */
  readonly items: readonly Step<RunEvent, RunSummary>[]
  /** The state at `at`, or now, with every file. Null: before the run began. */
  readonly state: RunSnapshot | null
  readonly comparison: Comparison<RunSummary> | null
}

/** The history of one run from all its events. @throws InvalidInputError */
export const replayRun = async (
  id: string,
  events: readonly Recorded<RunEvent>[],
  options: RunHistoryOptions = {},
): Promise<RunHistory> => {
  // a state with files at every step would take files x events: only the requested states keep theirs
  const steps: Step<RunEvent, RunSummary>[] = []
  for (const step of historyOfRun(events)) {
    const count = steps.push({ ...step, state: withoutFiles(step.state) })
    if (count % AT_ONCE === 0) await othersHaveATurn()
  }
  const withFiles = (state: RunSummary | null) => (state === null ? null : runAt(events, state.revision))
  const { items, state, comparison } = selectHistory(steps, momentsOf(options))
  return {
    id,
    items,
    state: withFiles(state),
    comparison: comparison && {
      ...comparison,
      diff: snapshotDiff(withFiles(comparison.from.state), withFiles(comparison.to.state)),
    },
  }
}

/** Each step reads every file: without pauses a long run would block the process for seconds. */
const AT_ONCE = 50
const othersHaveATurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const withoutFiles = ({ files: _, ...summary }: RunSnapshot): RunSummary => summary
