import type { Decider } from '../decider.ts'
import { decide } from './decide.ts'
import type { RunEvent } from './events.ts'
import { evolve } from './evolve.ts'
import type { RunIntent } from './intents.ts'
import type { RunRejection } from './rejections.ts'
import { initialState, type RunState } from './state.ts'

/** One run of a workflow over many files, in rounds. */
export const workflowRun: Decider<RunState, RunIntent, RunEvent, RunRejection> = {
  initial: initialState,
  decide,
  evolve,
}
