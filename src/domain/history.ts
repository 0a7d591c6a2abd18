import type { Decider } from './decider.ts'
import type { Instant } from './instant.ts'
import type { Json } from './json/json.ts'
import { type Change, jsonDiff } from './json/json-diff.ts'
import type { Recorded } from './recorded.ts'

/** One event, what it made of its aggregate, and what it changed. */
export interface Step<Event, Snapshot> {
  readonly revision: number
  readonly event: Event
  /** What the audit calls it: more than one name where one event tells of more than one thing. */
  readonly names: readonly string[]
  readonly actor: string
  readonly at: Instant
  /** Milliseconds since the event before; null for the first. Below 0 where the clocks of two machines differ. */
  readonly sinceLastMs: number | null
  readonly state: Snapshot
  /** Against the state before, without `revision` and `updatedAt`, which every event changes. */
  readonly diff: readonly Change[]
}

/** How the history of an aggregate is told. */
export interface Telling<State, Event, Snapshot>
  extends Pick<Decider<State, never, Event, unknown>, 'initial' | 'evolve'> {
  /** Null: there is nothing to be seen yet. */
  readonly snapshotOf: (state: State, at: Instant, revision: number) => Snapshot | null
  readonly namesOf: (event: Event) => readonly string[]
}

interface Fact {
  readonly at: Instant
  readonly actor: string
}

/** Folds the events of one stream, in order from its first, into what each of them made of it. */
export const stepsOf = <State, Event extends Fact, Snapshot extends object>(
  { initial, evolve, snapshotOf, namesOf }: Telling<State, Event, Snapshot>,
  events: readonly Recorded<Event>[],
): readonly Step<Event, Snapshot>[] => {
  const steps: Step<Event, Snapshot>[] = []
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
    steps.push(before)
  }
  return steps
}

/** A revision, or an instant: what had happened by then, up to and including it. */
export type Moment = number | Instant

/**
 * How many of the steps had happened. At an instant those before the first later one count, so that a state is never
 * made of events with a gap between them, whatever the clocks said.
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

/** What one snapshot has that another has not; null: there was none. A member that is null is as good as none. */
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
