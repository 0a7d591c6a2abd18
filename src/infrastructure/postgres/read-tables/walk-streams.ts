import type { ClientBase } from 'pg'
import type { BusEvent } from '../../../domain/bus-event.ts'
import { isCommandStream } from '../../../domain/command/names.ts'
import { busCodec } from '../../codec/workflow-codec.ts'
import { decodeRow } from '../log/event-store.ts'
import { type Folded, foldInto, type LoggedRow, loggedOf } from './command-log.ts'
import { compareCommands } from './compare-commands.ts'
import { compareWorkflows } from './compare-workflows.ts'
import type { Drift } from './drift.ts'
import { compareSearch } from './search-values.ts'
import { createRowFold, isWorkflowStream, MOST_ROWS } from './workflow-fold.ts'

/** What a walk has read. */
export interface Walked {
  readonly events: number
  readonly streams: number
  readonly commands: number
  /** Rows of runs and their files, of templates, of credits and of settings. */
  readonly workflowRows: number
}

export interface StreamWalk<Row extends LoggedRow> {
  /** Reads the next events, stream by stream; an empty page is the end. */
  readonly nextPage: (after: Row | null) => Promise<readonly Row[]>
  /** Checks an event by itself. `before`: the revision of the event before it in its stream, or -1. */
  readonly onEvent: (row: Row, before: number) => void
  /** The rows of the event's stream are not compared, because this event cannot be read. */
  readonly onUnreadable: (row: Row, error: unknown) => void
  readonly onDrift: (drift: Drift) => void
  readonly onProgress: (walked: Walked) => void
  /** True ends the walk early. */
  readonly isEnough: () => boolean
}

/** Folds streams one after the other and compares their rows with the tables. Memory does not grow with the log. */
export const walkStreams = async <Row extends LoggedRow>(
  client: ClientBase,
  walk: StreamWalk<Row>,
): Promise<Walked> => {
  const walked = { events: 0, streams: 0, commands: 0, workflowRows: 0 }
  const workflows = createRowFold()
  let commands: Folded[] = []
  let command: Folded | undefined
  let isReadable = true
  let last: Row | null = null

  const fold = (row: Row): void => {
    try {
      if (isCommandStream(row.stream)) {
        const logged = loggedOf(row)
        if (isReadable) command = foldInto(command, logged)
      } else if (isWorkflowStream(row.stream)) {
        const recorded = decodeRow<BusEvent>(busCodec, row)
        if (isReadable) workflows.add(recorded)
      }
    } catch (error) {
      isReadable = false
      command = undefined
      workflows.drop()
      walk.onUnreadable(row, error)
    }
  }

  const endStream = (): void => {
    if (command !== undefined) commands.push(command)
    workflows.end()
    command = undefined
    isReadable = true
  }

  const compare = async (): Promise<void> => {
    const rows = workflows.take()
    for (const drift of await compareCommands(client, commands)) walk.onDrift(drift)
    for (const drift of await compareWorkflows(client, rows)) walk.onDrift(drift)
    for (const drift of await compareSearch(client, commands)) walk.onDrift(drift)
    walked.commands += commands.length
    walked.workflowRows += rows.writes.length
    commands = []
  }

  while (!walk.isEnough()) {
    const rows: readonly Row[] = await walk.nextPage(last)
    for (const row of rows) {
      const isSameStream: boolean = row.stream === last?.stream
      if (!isSameStream) {
        endStream()
        walked.streams++
      }
      walk.onEvent(row, isSameStream ? Number(last?.revision) : -1)
      fold(row)
      if (workflows.size() >= MOST_ROWS) await compare()
      last = row
    }
    if (rows.length === 0) endStream()
    await compare()
    walked.events += rows.length
    walk.onProgress({ ...walked })
    if (rows.length === 0) break
  }
  return walked
}
