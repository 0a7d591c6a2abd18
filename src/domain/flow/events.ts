import type { PauseEvent } from './pause/events.ts'

/** The events of settings: what decides when commands run, apart from the commands themselves. */
export type FlowEvent = PauseEvent
