import type { BusEvent } from '../domain/bus-event.ts'
import type { PauseEvent } from '../domain/flow/pause/events.ts'
import { parsePauseStream } from '../domain/flow/pause/names.ts'
import type { Recorded } from '../domain/recorded.ts'
import { pauseRows } from './pause-rows.ts'
import type { RowWrite } from './row-write.ts'

const none: readonly RowWrite[] = []

/** What an event changes in the tables of settings. */
export const flowRows = ({ stream, revision, event }: Recorded<BusEvent>): readonly RowWrite[] => {
  const pauseId = parsePauseStream(stream)
  if (pauseId !== null) return pauseRows(pauseId, revision, event as PauseEvent)
  return none
}
