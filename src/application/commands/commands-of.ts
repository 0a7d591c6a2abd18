import type { BusEvent } from '../../domain/bus-event.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import type { EventStore } from '../ports/event-store.ts'

/** The log as those see it who touch streams of commands only: such a stream holds nothing else. */
export const commandsOf = (store: EventStore<BusEvent>): EventStore<CommandEvent> =>
  store as unknown as EventStore<CommandEvent>
