import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { expect } from 'vitest'
import { type Decider, fold } from '../../../src/domain/decider.ts'

/** A decider's answer: events (none if nothing has to change) or a named refusal. */
export type Answer<Event, Rejection> = readonly Event[] | Rejection

export interface Answered<Event, Rejection> {
  /** Expects this answer to the same intent again, after the events of the first. Default: no events. */
  readonly again: (answer?: Answer<Event, Rejection>) => void
}

/** `given(history).when(intent).then(events | rejection)`, and `.again(...)` for the twin of each scenario. */
export const scenarios = <State, Intent, Event, Rejection>(decider: Decider<State, Intent, Event, Rejection>) => {
  const expected = (answer: Answer<Event, Rejection>): Either<Rejection, readonly Event[]> =>
    isEvents(answer) ? right(answer) : left(answer)
  return (history: readonly Event[]) => ({
    when: (intent: Intent) => ({
      // biome-ignore lint/suspicious/noThenProperty: the third word of given, when, then; nobody awaits it
      then: (answer: Answer<Event, Rejection>): Answered<Event, Rejection> => {
        expect(decider.decide(intent, fold(decider, history))).toEqual(expected(answer))
        const after = isEvents(answer) ? [...history, ...answer] : history
        return {
          again: (second = []) => {
            expect(decider.decide(intent, fold(decider, after))).toEqual(expected(second))
          },
        }
      },
    }),
  })
}

const isEvents = <Event, Rejection>(answer: Answer<Event, Rejection>): answer is readonly Event[] =>
  Array.isArray(answer)
