import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Decider } from '../../decider.ts'
import type { IntentBase } from '../../intent-base.ts'
import type { LimitEvent, LimitSet } from './events.ts'
import { sameSettings } from './lane.ts'

type Facts = Omit<LimitSet, 'type'>

/** A rule that puts commands into lanes when they are sent. */
export type LimitState =
  | { readonly status: 'NONE' }
  | ({ readonly status: 'SET' } & Facts)
  | ({ readonly status: 'REMOVED' } & Facts)

export type LimitIntent =
  | (IntentBase & Omit<Facts, 'at' | 'actor'> & { readonly type: 'Set' })
  | (IntentBase & { readonly type: 'Remove' })

export type LimitRejection = { readonly type: 'NotFound' }

const isSame = (state: LimitState, rule: Omit<Facts, 'at' | 'actor'>): boolean =>
  state.status === 'SET' && sameSettings(state, rule) && state.by === rule.by && state.commandType === rule.commandType

const decide = (intent: LimitIntent, state: LimitState): Either<LimitRejection, readonly LimitEvent[]> => {
  if (intent.type === 'Set') return right(isSame(state, intent) ? [] : [{ ...intent, type: 'LimitSet' }])
  if (state.status === 'NONE') return left({ type: 'NotFound' })
  if (state.status === 'REMOVED') return right([])
  return right([{ type: 'LimitRemoved', at: intent.at, actor: intent.actor, domain: state.domain, name: state.name }])
}

const evolve = (state: LimitState, event: LimitEvent): LimitState => {
  if (event.type === 'LimitSet') {
    const { type: _, ...facts } = event
    return { ...facts, status: 'SET' }
  }
  return state.status === 'NONE' ? state : { ...state, status: 'REMOVED' }
}

/** The same rule again, and removing one that was removed, cause no event. */
export const limit: Decider<LimitState, LimitIntent, LimitEvent, LimitRejection> = {
  initial: { status: 'NONE' },
  decide,
  evolve,
}
