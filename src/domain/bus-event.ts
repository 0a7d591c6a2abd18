import type { CommandEvent } from './command/events.ts'
import type { CreditsEvent } from './credits/events.ts'
import type { RunEvent } from './workflow-run/events.ts'
import type { TemplateEvent } from './workflow-template/events.ts'

/** Everything that the log may hold. A stream holds the events of one aggregate only; its name says of which. */
export type BusEvent = CommandEvent | RunEvent | CreditsEvent | TemplateEvent
