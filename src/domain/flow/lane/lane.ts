import { right } from 'fp-ts/lib/Either.js'
import type { Decider } from '../../decider.ts'
import type { IntentBase } from '../../intent-base.ts'
import type { LaneEvent, LaneSet, LaneSettings } from './events.ts'

/** The settings of one lane; none: those of its rule, or the defaults. */
export type LaneState = { readonly status: 'NONE' } | ({ readonly status: 'SET' } & Omit<LaneSet, 'type'>)

export type LaneIntent = IntentBase &
  LaneSettings & { readonly type: 'Set'; readonly domain: string; readonly lane: string }

export const sameSettings = (a: LaneSettings, b: LaneSettings): boolean =>
  a.width === b.width && a.ratePerSecond === b.ratePerSecond && a.onPark === b.onPark

/** The same settings again cause no event. */
export const lane: Decider<LaneState, LaneIntent, LaneEvent, never> = {
  initial: { status: 'NONE' },
  decide: (intent, state) =>
    right(state.status === 'SET' && sameSettings(state, intent) ? [] : [{ ...intent, type: 'LaneSet' }]),
  evolve: (_, { type: __, ...facts }) => ({ ...facts, status: 'SET' }),
}
