import type { Either } from 'fp-ts/lib/Either.js'

/**
 * A pure state machine over events.
 *
 * `decide` answers an intent with the events it causes, or with a named rejection; no events means "already so".
 * `evolve` is total: it never refuses an event that the log holds.
 */
export interface Decider<State, Intent, Event, Rejection> {
  readonly initial: State
  readonly decide: (intent: Intent, state: State) => Either<Rejection, readonly Event[]>
  readonly evolve: (state: State, event: Event) => State
}

/** The state after `events`, from `state` (default: the decider's initial state). */
export const fold = <State, Event>(
  decider: Pick<Decider<State, never, Event, unknown>, 'initial' | 'evolve'>,
  events: readonly Event[],
  state: State = decider.initial,
): State => events.reduce(decider.evolve, state)
