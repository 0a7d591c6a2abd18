import type { ClientBase } from 'pg'
import { pageWithinBytes } from '../../postgres/log/log-reader.ts'
import type { LoggedRow } from '../../postgres/read-tables/command-log.ts'
import type { Drift, RowName } from '../../postgres/read-tables/drift.ts'
import { type Walked, walkStreams } from '../../postgres/read-tables/walk-streams.ts'
import { expectedHash } from '../chain/event-hash.ts'
import type { Finding, Findings } from '../chain/finding.ts'

interface ChainedRow extends LoggedRow {
  readonly hash: Buffer
  readonly expected: Buffer
  readonly in_order: boolean
}

const IN_STREAM = '(partition by e.stream order by e.revision)'
/** The next events, stream by stream, with the hash they have to have. */
const chainPage = pageWithinBytes({
  columns: 'x.*',
  inner: `e.stream, e.revision, e.id, e.type, e.data, e.meta, e.msg_id, e.hash,
    ${expectedHash(`coalesce(lag(e.hash) over ${IN_STREAM}, case when e.stream = $1 then $3::bytea end, ''::bytea)`)} as expected,
    coalesce((lag(e.xid) over ${IN_STREAM}, lag(e.position) over ${IN_STREAM}) < (e.xid, e.position), true) as in_order`,
  where: `(e.stream, e.revision) > ($1::text collate "C", $2::bigint) and ($4::text is null or e.stream <= $4::text collate "C")`,
  order: 'stream, revision',
})

/**
 * Walks through all streams (or those after `from` up to `to`): each event against its hash and the event before it,
 * each row against the events that make it.
 */
export const verifyEvents = (
  client: ClientBase,
  findings: Findings,
  { from = '', to = null as string | null, onProgress = (_: Walked) => {} } = {},
): Promise<Walked> =>
  walkStreams<ChainedRow>(client, {
    nextPage: async after => {
      const { stream, revision, hash } = after ?? { stream: from, revision: afterAll(from), hash: Buffer.alloc(0) }
      const { rows } = await client.query(chainPage, [stream, revision, hash, to])
      return rows
    },
    onEvent: (row, before) => findings.add(...chainFaults(row, before)),
    onUnreadable: (row, error) => findings.add(unreadable(row, error)),
    onDrift: drift => findings.add(rowFinding(drift)),
    onProgress,
    isEnough: () => findings.isFull('event', 'row'),
  })

/** No event of the stream comes after it. */
const afterAll = (stream: string): string => (stream === '' ? '-1' : '9223372036854775807')

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
      drift.column !== '*' && drift.row !== undefined
        ? // its values may be those of payloads
          `${which} says something else in ${drift.column} than the events`
        : drift.column !== '*'
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
