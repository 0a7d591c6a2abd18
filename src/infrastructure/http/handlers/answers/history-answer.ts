import type { CommandHistory, MomentView } from '../../../../application/investigation/read-history.ts'
import type { RunHistory } from '../../../../application/runs/read-run-history.ts'
import { cutChanges, type cutMember, cutMessage, rememberCuts } from '../../../../application/shared/cut-json.ts'
import type { CommandSnapshot } from '../../../../domain/command/history.ts'
import type { Step } from '../../../../domain/history.ts'
import type { Json } from '../../../../domain/json/json.ts'

type CutMember = typeof cutMember

/** A history as the route declares it. Large values are complete only in the last state and the last event's error. */
export const historyAnswer = ({ items, comparison, ...history }: CommandHistory) => {
  const cut = rememberCuts()
  const last = items.at(-1)?.event
  return {
    ...history,
    event: last === undefined ? null : { ...cutEvent(last, cut), ...('error' in last ? { error: last.error } : {}) },
    items: items.map(step => ({ ...stepAnswer(step, cut), state: cutState(step.state, cut) })),
    comparison:
      comparison === null
        ? null
        : {
            from: cutMoment(comparison.from, cut),
            to: cutMoment(comparison.to, cut),
            ...changesAnswer(comparison.diff, cut),
          },
  }
}

export const runHistoryAnswer = ({ items, state, comparison, ...history }: RunHistory) => {
  const cut = rememberCuts()
  return {
    ...history,
    items: items.map(step => ({ ...stepAnswer(step, cut), state: step.state })),
    state:
      state === null
        ? null
        : {
            ...state,
            files: state.files.map(file => ({ ...file, errorMessage: cutMessage(file.errorMessage) })),
          },
    comparison:
      comparison === null ? null : { from: comparison.from, to: comparison.to, ...changesAnswer(comparison.diff, cut) },
  }
}

const stepAnswer = <Snapshot>({ event, names, diff, ...step }: Step<object, Snapshot>, cut: CutMember) => ({
  ...step,
  event: cutEvent(event, cut),
  names: [...names],
  ...changesAnswer(diff, cut),
})

const changesAnswer = (changes: Step<unknown, unknown>['diff'], cut: CutMember) => {
  const { diff, ...omitted } = cutChanges(changes, cut)
  return { diff: [...diff], ...omitted }
}

/** Limited when they are written: 10,000 characters of a message, 8,000 of stack and causes together. */
const BOUNDED = ['message', 'stack', 'causes']

/** Replaces each large member with null, its size and its beginning; inside an error, too. */
const cutEvent = (event: object, cut: CutMember): { [name: string]: unknown } =>
  Object.fromEntries(Object.entries(event).flatMap(([name, value]) => cutOfEvent(name, value, cut)))

const cutOfEvent = (name: string, value: Json, cut: CutMember): readonly [string, unknown][] => {
  if (name === 'error') return [[name, cutEvent(value as object, cut)]]
  return BOUNDED.includes(name) ? [[name, value]] : Object.entries(cut(name, value))
}

const cutState = ({ data, result, lastErrorMsg, ...state }: CommandSnapshot, cut: CutMember) => ({
  ...state,
  lastErrorMsg: cutMessage(lastErrorMsg),
  ...cut('data', data),
  ...cut('result', result),
})

const cutMoment = ({ state, ...view }: MomentView, cut: CutMember) => ({
  ...view,
  state: state === null ? null : cutState(state, cut),
})
