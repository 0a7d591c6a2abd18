import type { CommandEvent } from './command/events.ts'
import type { CreditsEvent } from './credits/events.ts'
import type { FlowEvent } from './flow/events.ts'
import type { RunEvent } from './workflow-run/events.ts'
import type { TemplateEvent } from './workflow-template/events.ts'

/** Any event of the log. A stream holds the events of one aggregate; its name says which one. */
export type BusEvent = CommandEvent | RunEvent | CreditsEvent | TemplateEvent | FlowEvent
