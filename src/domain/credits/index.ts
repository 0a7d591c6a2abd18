import type { Decider } from '../decider.ts'
import { decide } from './decide.ts'
import type { CreditsEvent } from './events.ts'
import { evolve } from './evolve.ts'
import type { CreditsIntent } from './intents.ts'
import type { CreditsRejection } from './rejections.ts'
import { type CreditsState, initialState } from './state.ts'

/** One tenant's ledger of credits. */
export const credits: Decider<CreditsState, CreditsIntent, CreditsEvent, CreditsRejection> = {
  initial: initialState,
  decide,
  evolve,
}
