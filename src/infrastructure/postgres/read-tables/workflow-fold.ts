import type { BusEvent } from '../../../domain/bus-event.ts'
import { creditsStream } from '../../../domain/credits/names.ts'
import { causeStream } from '../../../domain/flow/cause/names.ts'
import { laneStream, limitStream } from '../../../domain/flow/lane/names.ts'
import { pauseStream } from '../../../domain/flow/pause/names.ts'
import { scheduleStream } from '../../../domain/flow/schedule/names.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import { runStream } from '../../../domain/workflow-run/names.ts'
import { templateStream } from '../../../domain/workflow-template/names.ts'
import { createWrites, type ReadTable, type RowWrite, readTables } from '../../../projections/row-write.ts'
import { workflowRows } from '../../../projections/workflow-rows.ts'

/** Which streams make the rows of a table: their names are the prefix and the rows' owner. */
interface Source {
  readonly prefix: string
  readonly type: 'uuid' | 'text'
  /** SQL: the owner, from the values of the row's columns. */
  readonly owner: (value: (column: string) => string) => string
}

const from = (prefix: string, column: string, type: Source['type']): Source => ({
  prefix,
  type,
  owner: value => value(column),
})

/** SQL: the same as `laneIdOf`. */
const named = (prefix: string, column: string): Source => ({
  prefix,
  type: 'text',
  owner: value => `${value('domain')} || '/' || ${value(column)}`,
})

/** The read tables of runs, templates, credits and settings. */
export const sources: Readonly<Record<ReadTable, Source>> = {
  command_bus_workflow_template: from(templateStream(''), 'template_id', 'uuid'),
  command_bus_workflow_run: from(runStream(''), 'run_id', 'uuid'),
  command_bus_workflow_run_file: from(runStream(''), 'run_id', 'uuid'),
  command_bus_credit_account: from(creditsStream(''), 'tenant_id', 'text'),
  command_bus_credit_entry: from(creditsStream(''), 'tenant_id', 'text'),
  command_bus_pause: from(pauseStream(''), 'pause_id', 'uuid'),
  command_bus_lane: named(laneStream(''), 'lane'),
  command_bus_limit: named(limitStream(''), 'name'),
  command_bus_schedule: from(scheduleStream(''), 'name', 'text'),
  command_bus_cause: from(causeStream(''), 'cause_id', 'uuid'),
}

export const workflowTables = Object.keys(readTables) as readonly ReadTable[]

/** How the streams begin that make their rows. */
export const rowPrefixes: readonly string[] = [...new Set(Object.values(sources).map(({ prefix }) => prefix))]

export const isWorkflowStream = (stream: string): boolean => rowPrefixes.some(prefix => stream.startsWith(prefix))

/** Whether each event makes a row of its own in this table, which no later event changes. */
export const isLedger = (table: ReadTable): boolean => (readTables[table] as readonly string[]).includes('revision')

/** The most rows at once: an event of a run makes a row for each of its files, so a page may make millions. */
export const MOST_ROWS = 10_000

/** Rows that can be compared now. */
export interface FoldedRows {
  readonly writes: readonly RowWrite[]
  /** Streams that were read to their end, with the revision of their last event. */
  readonly ended: readonly { readonly stream: string; readonly last: number }[]
}

/**
 * Folds streams one after the other into the rows they make. It holds only rows that may still change, which a ledger's
 * entries do not: memory grows with the files of one run, not with the log.
 */
export const createRowFold = () => {
  let open: { readonly stream: string; last: number; readonly writes: ReturnType<typeof createWrites> } | null = null
  let ready: { writes: RowWrite[]; ended: { stream: string; last: number }[] } = { writes: [], ended: [] }
  const end = (): void => {
    if (open === null) return
    ready.writes.push(...open.writes.all())
    ready.ended.push({ stream: open.stream, last: open.last })
    open = null
  }
  return {
    add: (recorded: Recorded<BusEvent>): void => {
      if (open !== null && open.stream !== recorded.stream) end()
      open ??= { stream: recorded.stream, last: -1, writes: createWrites() }
      open.last = recorded.revision
      for (const write of workflowRows(recorded)) {
        if (isLedger(write.table)) ready.writes.push(write)
        else open.writes.add(write)
      }
    },
    /** The stream has no more events. */
    end,
    /** The stream cannot be read, so its rows are not known. */
    drop: (): void => {
      open = null
    },
    /** How many rows have become comparable since the last `take`. */
    size: (): number => ready.writes.length,
    /** The rows that have become comparable since the last `take`. */
    take: (): FoldedRows => {
      const taken = ready
      ready = { writes: [], ended: [] }
      return taken
    },
  }
}
