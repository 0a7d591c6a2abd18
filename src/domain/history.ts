import type { Decider } from './decider.ts'
import type { Instant } from './instant.ts'
import type { Json } from './json/json.ts'
import { type Change, jsonDiff } from './json/json-diff.ts'
import type { Recorded } from './recorded.ts'

/** One event, its aggregate after it, and what it changed. */
export interface Step<Event, Snapshot> {
  readonly revision: number
  readonly event: Event
  /** The audit's names of it: several where one event reports several things. */
  readonly names: readonly string[]
  readonly actor: string
  readonly at: Instant
  /** Milliseconds since the event before; null for the first. Negative where the clocks of two machines differ. */
  readonly sinceLastMs: number | null
  readonly state: Snapshot
  /** Changes since the step before, without `revision` and `updatedAt`, which every event changes. */
  readonly diff: readonly Change[]
}

/** How to make steps of an aggregate's events. */
export interface Telling<State, Event, Snapshot>
  extends Pick<Decider<State, never, Event, unknown>, 'initial' | 'evolve'> {
  /** Null: the aggregate does not exist yet. */
  readonly snapshotOf: (state: State, at: Instant, revision: number) => Snapshot | null
  readonly namesOf: (event: Event) => readonly string[]
}

interface Fact {
  readonly at: Instant
  readonly actor: string
}

/** Folds the events of one stream, in order from its first, into what each of them made of it; no more than two are held. */
export const stepsOf = function* <State, Event extends Fact, Snapshot extends object>(
  { initial, evolve, snapshotOf, namesOf }: Telling<State, Event, Snapshot>,
  events: readonly Recorded<Event>[],
): Generator<Step<Event, Snapshot>, void, undefined> {
  let state = initial
  let before: Step<Event, Snapshot> | undefined
  for (const { event, revision } of events) {
    state = evolve(state, event)
    const snapshot = snapshotOf(state, event.at, revision)
    if (snapshot === null) continue
    before = {
      revision,
      event,
      names: namesOf(event),
      actor: event.actor,
      at: event.at,
      sinceLastMs: before === undefined ? null : Date.parse(event.at) - Date.parse(before.at),
      state: snapshot,
      diff: snapshotDiff(before?.state ?? null, snapshot),
    }
    yield before
  }
}

/** A revision, or an instant; both include what happened at it. */
export type Moment = number | Instant

/**
 * How many of the steps had happened. For an instant: those before the first step that is later, so that clocks that differ
 * never leave a gap between the events of a state.
 */
export const stepsAt = <A extends Pick<Step<unknown, unknown>, 'revision' | 'at'>>(
  steps: readonly A[],
  moment: Moment,
): readonly A[] => {
  const later = steps.findIndex(step => (typeof moment === 'number' ? step.revision > moment : step.at > moment))
  return later < 0 ? steps : steps.slice(0, later)
}

/** Every event changes them. */
const NOT_COMPARED = ['revision', 'updatedAt']

/** What one snapshot has that another has not; null: there was none. A null member counts as missing. */
export const snapshotDiff = (before: object | null, after: object | null): readonly Change[] => {
  const [was, is] = [before, after] as readonly ({ readonly [name: string]: Json } | null)[]
  const changes: Change[] = []
  for (const name of Object.keys(after ?? before ?? {})) {
    const from = was?.[name] ?? null
    const to = is?.[name] ?? null
    if (from === to || NOT_COMPARED.includes(name)) continue
    if (from === null) changes.push({ op: 'add', path: `/${name}`, from, to })
    else if (to === null) changes.push({ op: 'remove', path: `/${name}`, from, to })
    else changes.push(...jsonDiff(from, to, `/${name}`))
  }
  return changes
}
