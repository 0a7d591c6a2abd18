import { type Step, snapshotDiff } from '../../domain/history.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { RunEvent } from '../../domain/workflow-run/events.ts'
import { historyOfRun, type RunSnapshot, type RunSummary, runAt } from '../../domain/workflow-run/history.ts'
import { type Comparison, type HistoryOptions, momentsOf, toldOf } from '../investigation/read-history.ts'

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
export const replayRun = async (
  id: string,
  events: readonly Recorded<RunEvent>[],
  options: RunHistoryOptions = {},
): Promise<RunHistory> => {
  // states with all their files are as many as files times events: none is held but those asked for
  const steps: Step<RunEvent, RunSummary>[] = []
  for (const step of historyOfRun(events)) {
    const told = steps.push({ ...step, state: withoutFiles(step.state) })
    if (told % AT_ONCE === 0) await othersHaveATurn()
  }
  const withFiles = (state: RunSummary | null) => (state === null ? null : runAt(events, state.revision))
  const { items, state, comparison } = toldOf(steps, momentsOf(options))
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

/** Each step looks at every file: a long run would keep the process from all else for seconds. */
const AT_ONCE = 50
const othersHaveATurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const withoutFiles = ({ files: _, ...summary }: RunSnapshot): RunSummary => summary
