import type { LaneEvent, LimitEvent } from './lane/events.ts'
import type { PauseEvent } from './pause/events.ts'
import type { ScheduleEvent } from './schedule/events.ts'

/** The events of settings: what decides when commands run, apart from the commands themselves. */
export type FlowEvent = PauseEvent | LaneEvent | LimitEvent | ScheduleEvent
