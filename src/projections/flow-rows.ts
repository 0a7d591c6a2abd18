import type { BusEvent } from '../domain/bus-event.ts'
import type { CauseEvent } from '../domain/flow/cause/events.ts'
import { parseCauseStream } from '../domain/flow/cause/names.ts'
import type { LaneEvent, LimitEvent } from '../domain/flow/lane/events.ts'
import { isLaneStream, isLimitStream } from '../domain/flow/lane/names.ts'
import type { PauseEvent } from '../domain/flow/pause/events.ts'
import { parsePauseStream } from '../domain/flow/pause/names.ts'
import type { ScheduleEvent } from '../domain/flow/schedule/events.ts'
import { parseScheduleStream } from '../domain/flow/schedule/names.ts'
import type { Recorded } from '../domain/recorded.ts'
import { causeRows } from './cause-rows.ts'
import { laneRows, limitRows } from './lane-rows.ts'
import { pauseRows } from './pause-rows.ts'
import type { RowWrite } from './row-write.ts'
import { scheduleRows } from './schedule-rows.ts'

const none: readonly RowWrite[] = []

/** What an event changes in the tables of settings. */
export const flowRows = ({ stream, revision, event }: Recorded<BusEvent>): readonly RowWrite[] => {
  const pauseId = parsePauseStream(stream)
  if (pauseId !== null) return pauseRows(pauseId, revision, event as PauseEvent)
  if (isLaneStream(stream)) return laneRows(revision, event as LaneEvent)
  if (isLimitStream(stream)) return limitRows(revision, event as LimitEvent)
  const schedule = parseScheduleStream(stream)
  if (schedule !== null) return scheduleRows(schedule, revision, event as ScheduleEvent)
  const causeId = parseCauseStream(stream)
  if (causeId !== null) return causeRows(causeId, revision, event as CauseEvent)
  return none
}
