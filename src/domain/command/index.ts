import type { Decider } from '../decider.ts'
import { decide } from './decide.ts'
import type { CommandEvent } from './events.ts'
import { evolve } from './evolve.ts'
import type { CommandIntent } from './intents.ts'
import type { CommandRejection } from './rejections.ts'
import { type CommandState, initialState } from './state.ts'

/** The life of one command. */
export const command: Decider<CommandState, CommandIntent, CommandEvent, CommandRejection> = {
  initial: initialState,
  decide,
  evolve,
}
