import type { CommandHistory, MomentView } from '../../application/read-history.ts'
import type { RunHistory } from '../../application/read-run-history.ts'
import type { Step } from '../../domain/history.ts'

/** A history as the route declares it: lists that may be written to, events with any members. */
export const historyAnswer = ({ items, comparison, ...history }: CommandHistory) => ({
  ...history,
  items: items.map(stepAnswer),
  comparison:
    comparison === null
      ? null
      : { from: moment(comparison.from), to: moment(comparison.to), diff: [...comparison.diff] },
})

export const runHistoryAnswer = ({ items, comparison, ...history }: RunHistory) => ({
  ...history,
  items: items.map(stepAnswer),
  comparison: comparison === null ? null : { ...comparison, diff: [...comparison.diff] },
})

const stepAnswer = <Snapshot>(step: Step<object, Snapshot>) => ({
  ...step,
  event: { ...step.event },
  names: [...step.names],
  diff: [...step.diff],
})

const moment = (view: MomentView) => ({ ...view })
