import type { Decider } from '../decider.ts'
import { decide } from './decide.ts'
import type { TemplateEvent } from './events.ts'
import { evolve } from './evolve.ts'
import type { TemplateIntent } from './intents.ts'
import type { TemplateRejection } from './rejections.ts'
import { initialState, type TemplateState } from './state.ts'

/** What runs are made from: a name, a price for each file, and whether all files are one job. */
export const workflowTemplate: Decider<TemplateState, TemplateIntent, TemplateEvent, TemplateRejection> = {
  initial: initialState,
  decide,
  evolve,
}
