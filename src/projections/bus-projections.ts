import type { BusEvent } from '../domain/bus-event.ts'
import type { CommandEvent } from '../domain/command/events.ts'
import type { Recorded } from '../domain/recorded.ts'
import { commandRowChange } from './command-row.ts'
import { type OutboxOptions, outbox } from './outbox.ts'
import { workflowRows } from './workflow-rows.ts'

/** All projections of the log. Each checks the stream first and ignores those of other aggregates. */
export const busProjections = (options: OutboxOptions) => {
  const effects = outbox(options)
  return {
    row: (recorded: Recorded<BusEvent>) => commandRowChange(recorded as Recorded<CommandEvent>),
    effects: (recorded: Recorded<BusEvent>) => effects(recorded as Recorded<CommandEvent>),
    writes: workflowRows,
  }
}
