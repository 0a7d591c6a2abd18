import type { CauseEvent } from './cause/events.ts'
import type { LaneEvent, LimitEvent } from './lane/events.ts'
import type { PauseEvent } from './pause/events.ts'
import type { ScheduleEvent } from './schedule/events.ts'

/** The events of settings: what decides when commands run, and what operators write down about causes. */
export type FlowEvent = PauseEvent | LaneEvent | LimitEvent | ScheduleEvent | CauseEvent
