import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Decider } from '../../decider.ts'
import type { Instant } from '../../instant.ts'
import type { IntentBase } from '../../intent-base.ts'
import type { FlowPaused, PauseEvent, PauseScope } from './events.ts'

/** A pause: what is paused, by whom, since when and until when. */
export type PauseFacts = Omit<FlowPaused, 'type'>

export type PauseState =
  | { readonly status: 'NONE' }
  | ({ readonly status: 'PAUSED' } & PauseFacts)
  | ({ readonly status: 'RESUMED'; readonly resumedAt: Instant; readonly resumedBy: string } & PauseFacts)

export type PauseIntent =
  | (IntentBase & PauseScope & { readonly type: 'Pause'; readonly reason: string; readonly until: Instant | null })
  | (IntentBase & { readonly type: 'Resume' })

export type PauseRejection =
  | { readonly type: 'NotFound' }
  | { readonly type: 'AlreadyPaused'; readonly facts: PauseFacts }

/** Whether the pause is in force at an instant after its last event. */
export const isPaused = (state: PauseState, at: Instant): state is Extract<PauseState, { status: 'PAUSED' }> =>
  state.status === 'PAUSED' && (state.until === null || state.until > at)

/** Resuming what is not paused causes no event. */
const decide = (intent: PauseIntent, state: PauseState): Either<PauseRejection, readonly PauseEvent[]> => {
  const paused = isPaused(state, intent.at)
  switch (intent.type) {
    case 'Pause': {
      if (paused) {
        const { status: _, ...facts } = state
        return left({ type: 'AlreadyPaused', facts })
      }
      const { type: _, ...facts } = intent
      return right([{ ...facts, type: 'FlowPaused' }])
    }
    case 'Resume':
      if (state.status === 'NONE') return left({ type: 'NotFound' })
      return right(paused ? [{ type: 'FlowResumed', at: intent.at, actor: intent.actor }] : [])
  }
}

const evolve = (state: PauseState, event: PauseEvent): PauseState => {
  switch (event.type) {
    case 'FlowPaused': {
      const { type: _, ...facts } = event
      return { ...facts, status: 'PAUSED' }
    }
    case 'FlowResumed':
      if (state.status === 'NONE') return state
      return { ...state, status: 'RESUMED', resumedAt: event.at, resumedBy: event.actor }
  }
}

/** One scope that can be paused: it has one stream, so that it is paused only once at a time. */
export const pause: Decider<PauseState, PauseIntent, PauseEvent, PauseRejection> = {
  initial: { status: 'NONE' },
  decide,
  evolve,
}
