import type { BusEvent } from '../../domain/bus-event.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import type { EventStore } from '../ports/event-store.ts'

/** The log for code that uses only streams of commands; such a stream has no other events. */
export const commandStoreOf = (store: EventStore<BusEvent>): EventStore<CommandEvent> =>
  store as unknown as EventStore<CommandEvent>
