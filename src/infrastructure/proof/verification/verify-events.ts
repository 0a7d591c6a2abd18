import type { ClientBase } from 'pg'
import { EventDecodeError } from '../../../application/ports/event-store.ts'
import type { BusEvent } from '../../../domain/bus-event.ts'
import { busCodec } from '../../codec/workflow-codec.ts'
import { decodeRow } from '../../postgres/log/event-store.ts'
import { type Folded, foldInto, type LoggedRow, loggedOf, PAGE_BYTES } from '../../postgres/read-tables/command-log.ts'
import type { Drift, RowName } from '../../postgres/read-tables/drift.ts'
import { compareRows } from '../../postgres/read-tables/verify.ts'
import { compareWorkflows, MOST_ROWS } from '../../postgres/read-tables/verify-workflows.ts'
import { createRowFold, isWorkflowStream } from '../../postgres/read-tables/workflow-fold.ts'
import { expectedHash } from '../chain/event-hash.ts'
import type { Finding, Findings } from '../chain/finding.ts'

export interface StreamPlace {
  readonly stream: string
  readonly revision: string
  readonly hash: Buffer
}

interface ChainedRow extends LoggedRow {
  readonly hash: Buffer
  readonly expected: Buffer
  readonly in_order: boolean
}

const PAGE_EVENTS = 5_000

/** The next events, stream by stream, with their correct hash. */
const chainPage = `
  select x.*
  from (
    select e.stream, e.revision, e.id, e.type, e.data, e.meta, e.msg_id, e.hash,
      ${expectedHash(`coalesce(lag(e.hash) over s, case when e.stream = $1 then $3::bytea end, ''::bytea)`)} as expected,
      coalesce((lag(e.xid) over s, lag(e.position) over s) < (e.xid, e.position), true) as in_order,
      sum(pg_column_size(e.data)) over (order by e.stream, e.revision rows unbounded preceding) - pg_column_size(e.data) as before
    from (
      select * from command_bus_event e
      where (e.stream, e.revision) > ($1::text collate "C", $2::bigint) and ($4::text is null or e.stream <= $4::text collate "C")
      order by e.stream, e.revision limit ${PAGE_EVENTS}) e
    window s as (partition by e.stream order by e.revision)) x
  where x.before < ${PAGE_BYTES}
  order by x.stream, x.revision`

export interface EventsChecked {
  readonly events: number
  readonly streams: number
  readonly commands: number
  /** Rows of runs and their files, of templates and of credits. */
  readonly workflowRows: number
}

/**
 * Checks all streams (or those after `from` up to `to`): each event against its hash and the event before it, each row against
 * its events. Memory does not grow with the log.
 */
export const verifyEvents = async (
  client: ClientBase,
  findings: Findings,
  { from = '', to = null as string | null, onProgress = (_: EventsChecked) => {} } = {},
): Promise<EventsChecked> => {
  let at: StreamPlace = { stream: from, revision: from === '' ? '-1' : '9223372036854775807', hash: Buffer.alloc(0) }
  let open: OpenStream = { folded: undefined, readable: true }
  const workflows = createRowFold()
  let checked: EventsChecked = { events: 0, streams: 0, commands: 0, workflowRows: 0 }
  while (!findings.isFull('event', 'row')) {
    const { rows } = await client.query<ChainedRow>(chainPage, [at.stream, at.revision, at.hash, to])
    const done: Folded[] = []
    let streams = 0
    let workflowRows = 0
    const compareFolded = async (): Promise<void> => {
      const folded = workflows.take()
      workflowRows += folded.writes.length
      for (const drift of await compareWorkflows(client, folded)) findings.add(rowFinding(drift))
    }
    for (const row of rows) {
      if (row.stream !== at.stream) {
        if (open.folded !== undefined && open.readable) done.push(open.folded)
        workflows.end()
        open = { folded: undefined, readable: true }
        streams++
      }
      findings.add(...chainFaults(row, row.stream === at.stream ? Number(at.revision) : -1))
      if (row.stream.startsWith('command-')) foldRow(open, row, findings)
      else if (isWorkflowStream(row.stream)) foldWorkflow(open, workflows, row, findings)
      if (workflows.size() >= MOST_ROWS) await compareFolded()
      at = row
    }
    if (rows.length === 0 && open.folded !== undefined && open.readable) done.push(open.folded)
    if (rows.length === 0) workflows.end()
    for (const drift of await compareRows(client, done)) findings.add(rowFinding(drift))
    await compareFolded()
    checked = {
      events: checked.events + rows.length,
      streams: checked.streams + streams,
      commands: checked.commands + done.length,
      workflowRows: checked.workflowRows + workflowRows,
    }
    onProgress(checked)
    if (rows.length === 0) break
  }
  return checked
}

interface OpenStream {
  folded: Folded | undefined
  readable: boolean
}

const foldRow = (open: OpenStream, row: ChainedRow, findings: Findings): void => {
  try {
    open.folded = foldInto(open.folded, loggedOf(row))
  } catch (error) {
    if (!(error instanceof EventDecodeError) && open.readable === false) throw error
    open.readable = false
    findings.add(unreadable(row, error))
  }
}

/** The rows of a stream are not checked once one of its events cannot be read. */
const foldWorkflow = (
  open: OpenStream,
  workflows: ReturnType<typeof createRowFold>,
  row: ChainedRow,
  findings: Findings,
): void => {
  if (!open.readable) return
  try {
    workflows.add(decodeRow<BusEvent>(busCodec, row))
  } catch (error) {
    open.readable = false
    workflows.drop()
    findings.add(unreadable(row, error))
  }
}

const unreadable = (row: ChainedRow, error: unknown): Finding => ({
  kind: 'event',
  stream: row.stream,
  revision: Number(row.revision),
  column: 'data',
  expected: null,
  found: null,
  message: error instanceof Error ? error.message : String(error),
})

/** The faults of an event that follows revision `before` in its stream (-1: it is the first one). */
const chainFaults = (row: ChainedRow, before: number): readonly Finding[] => {
  const revision = Number(row.revision)
  const about = { kind: 'event' as const, stream: row.stream }
  if (revision !== before + 1) {
    const missing = before + 1
    const which = missing === revision - 1 ? `event ${missing} is` : `events ${missing} to ${revision - 1} are`
    return [
      {
        ...about,
        revision: missing,
        column: '*',
        expected: missing,
        found: revision,
        message: `${which} missing: the next is ${revision}`,
      },
    ]
  }
  const faults: Finding[] = []
  if (!row.hash.equals(row.expected)) {
    faults.push({
      ...about,
      revision,
      column: 'hash',
      expected: row.expected.toString('hex'),
      found: row.hash.toString('hex'),
      message: `event ${revision} (${row.type}), or the one before it, is not what was recorded: its hash does not fit`,
    })
  }
  if (!row.in_order) {
    faults.push({
      ...about,
      revision,
      column: 'position',
      expected: `after event ${before}`,
      found: `before event ${before}`,
      message: `event ${revision} (${row.type}) stands before event ${before} in the order of the log`,
    })
  }
  return faults
}

export const rowFinding = (drift: Drift): Finding => {
  const which = drift.row === undefined ? 'the row' : `the row ${nameOf(drift.row)}`
  return {
    kind: 'row',
    revision: null,
    ...drift,
    message:
      drift.column !== '*'
        ? `${which} says ${drift.column} ${JSON.stringify(drift.found)}, the events say ${JSON.stringify(drift.expected)}`
        : drift.found === null
          ? `${which} ${drift.row === undefined ? 'of this command ' : ''}is missing`
          : `there is ${drift.row === undefined ? 'a row' : which.replace('the', 'a')}, and no event that it could come from`,
  }
}

const nameOf = ({ table, key }: RowName): string =>
  `${table} (${Object.entries(key)
    .map(([column, value]) => `${column} ${value}`)
    .join(', ')})`
