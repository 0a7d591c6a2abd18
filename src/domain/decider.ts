import { type Either, isLeft, right } from 'fp-ts/lib/Either.js'

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

/** Intents one after the other, each on the state that the one before has left. A refusal of one refuses all. */
export const decideAll = <State, Intent, Event, Rejection>(
  decider: Decider<State, Intent, Event, Rejection>,
  intents: readonly Intent[],
  before: State,
): Either<Rejection, { readonly events: readonly Event[]; readonly state: State }> => {
  let events: readonly Event[] = []
  let state = before
  for (const intent of intents) {
    const decided = decider.decide(intent, state)
    if (isLeft(decided)) return decided
    events = events.length === 0 ? decided.right : [...events, ...decided.right]
    state = fold(decider, decided.right, state)
  }
  return right({ events, state })
}
