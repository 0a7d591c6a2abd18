import { type Either, right } from 'fp-ts/lib/Either.js'
import type { Decider } from '../../decider.ts'
import type { Instant } from '../../instant.ts'
import type { IntentBase } from '../../intent-base.ts'
import type { CauseEvent, CauseKey } from './events.ts'

export interface CauseState {
  readonly assignee: string | null
  readonly tags: readonly string[]
  readonly notes: number
  readonly lastNote: { readonly at: Instant; readonly actor: string; readonly text: string } | null
  readonly investigation: { readonly until: Instant; readonly actor: string; readonly reason: string | null } | null
}

export type CauseIntent = IntentBase &
  CauseKey &
  (
    | { readonly type: 'Note'; readonly text: string }
    | { readonly type: 'Assign'; readonly assignee: string | null }
    | { readonly type: 'Tag'; readonly tags: readonly string[] }
    | { readonly type: 'Investigate'; readonly until: Instant | null; readonly reason: string | null }
  )

const nothing: Either<never, readonly CauseEvent[]> = right([])

/** The same intent twice never causes a second event. */
const decide = (intent: CauseIntent, state: CauseState): Either<never, readonly CauseEvent[]> => {
  const { at, actor, domain, commandType, errorCode } = intent
  const fact = { at, actor, domain, commandType, errorCode }
  switch (intent.type) {
    case 'Note':
      return state.lastNote?.text === intent.text && state.lastNote.actor === actor
        ? nothing
        : right([{ ...fact, type: 'CauseNoted', text: intent.text, number: state.notes + 1 }])
    case 'Assign':
      return state.assignee === intent.assignee
        ? nothing
        : right([{ ...fact, type: 'CauseAssigned', assignee: intent.assignee }])
    case 'Tag':
      return state.tags.length === intent.tags.length && intent.tags.every((tag, i) => state.tags[i] === tag)
        ? nothing
        : right([{ ...fact, type: 'CauseTagged', tags: intent.tags }])
    case 'Investigate':
      return (state.investigation?.until ?? null) === intent.until &&
        (state.investigation?.reason ?? null) === (intent.until === null ? null : intent.reason)
        ? nothing
        : right([{ ...fact, type: 'CauseInvestigated', until: intent.until, reason: intent.reason }])
  }
}

const evolve = (state: CauseState, event: CauseEvent): CauseState => {
  switch (event.type) {
    case 'CauseNoted': {
      const { at, actor, text } = event
      return { ...state, notes: event.number, lastNote: { at, actor, text } }
    }
    case 'CauseAssigned':
      return { ...state, assignee: event.assignee }
    case 'CauseTagged':
      return { ...state, tags: event.tags }
    case 'CauseInvestigated': {
      const { until, actor, reason } = event
      return { ...state, investigation: until === null ? null : { until, actor, reason } }
    }
  }
}

/** What operators have written down about one cause. */
export const cause: Decider<CauseState, CauseIntent, CauseEvent, never> = {
  initial: { assignee: null, tags: [], notes: 0, lastNote: null, investigation: null },
  decide,
  evolve,
}
