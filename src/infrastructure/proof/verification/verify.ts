import type { ClientBase, Pool } from 'pg'
import { atOneInstant } from '../../postgres/connection/with-client.ts'
import { AFTER } from '../../postgres/log/log-reader.ts'
import { commandsWithoutEvents } from '../../postgres/read-tables/compare-commands.ts'
import { workflowsWithoutEvents } from '../../postgres/read-tables/compare-workflows.ts'
import { holdReadTables } from '../../postgres/read-tables/read-tables.ts'
import { searchWithoutCommands } from '../../postgres/read-tables/search-values.ts'
import { withUnhurriedClient } from '../../postgres/transactions/unhurried.ts'
import { createFindings, type Finding, type FindingKind, type Findings } from '../chain/finding.ts'
import { logName, type SealHead, sealHead } from '../chain/seals.ts'
import { rowFinding, verifyEvents } from './verify-events.ts'
import { verifyMessages } from './verify-messages.ts'
import { type KnownSeal, verifySeals } from './verify-seals.ts'

/** What `maintenance.verify` checks, and how much of what it finds is listed. */
export interface VerifyOptions {
  /** About how many findings of each kind are listed; the check ends when all kinds are full. Default 1,000. */
  readonly limit?: number
  /** Fingerprints of the keys that seals must be signed with. None: any key, but the signature must be valid. */
  readonly trusted?: readonly string[]
  /** Copies of seals, which must still be in the log. */
  readonly known?: readonly KnownSeal[]
  /** Called now and then with how far the check is. */
  readonly onProgress?: (progress: VerifyProgress) => void
}

/** How far a check is. */
export interface VerifyProgress {
  readonly events: number
  /** About how many events there are. */
  readonly total: number
}

/** What a check of the log, the read tables and the queues found. */
export interface Verified {
  /** The name of the log. */
  readonly log: string
  readonly findings: readonly Finding[]
  /** There are or may be more findings than are listed. */
  readonly truncated: boolean
  /** How many of each kind were found. */
  readonly counts: Readonly<Partial<Record<FindingKind, number>>>
  /** Messages of other programs on command queues, or kept for an operator; they are not findings. */
  readonly strangers: number
  readonly events: number
  readonly streams: number
  readonly commands: number
  /** Rows of runs and their files, of templates, of credits and of settings. */
  readonly workflowRows: number
  readonly messages: number
  readonly seals: number
  /** Fingerprint of each key (null: not signed) and how many seals it signed. */
  readonly signedBy: readonly { readonly key: string | null; readonly seals: number }[]
  /** Events after the last seal. Their hashes are checked, but could be forged by anybody who can write the tables. */
  readonly unsealed: number
  readonly head: SealHead
}

/**
 * Checks the whole log as of one instant: every event against its hash and the one before it, all seals, every column of every
 * read row against a fresh fold of its events, and every message. Changes nothing.
 */
export const verifyLog = (pool: Pool, options: VerifyOptions = {}): Promise<Verified> =>
  withUnhurriedClient(pool, client =>
    atOneInstant(client, async () => {
      await holdReadTables(client)
      return verifyWithin(client, options)
    }),
  )

/** `verifyLog` in the caller's transaction and its snapshot. */
export const verifyWithin = async (client: ClientBase, options: VerifyOptions = {}): Promise<Verified> => {
  const { limit = 1_000, trusted = [], known = [], onProgress = () => {} } = options
  const findings = createFindings(limit)
  const total = await aboutEvents(client)
  const events = await verifyEvents(client, findings, {
    onProgress: done => onProgress({ events: done.events, total: Math.max(total, done.events) }),
  })
  for (const drift of await commandsWithoutEvents(client, limit)) findings.add(rowFinding(drift))
  for (const drift of await workflowsWithoutEvents(client, limit)) findings.add(rowFinding(drift))
  for (const drift of await searchWithoutCommands(client, limit)) findings.add(rowFinding(drift))
  const { messages, strangers } = await verifyMessages(client, findings)
  const { seals, signedBy } = await verifySeals(client, findings, { trusted, known })
  await verifyArchived(client, findings)
  const head = await sealHead(client)
  const { rows } = await client.query(`select count(*)::float8 as n from command_bus_event e where ${AFTER}`, [
    head.xid,
    head.position,
  ])
  return {
    log: await logName(client),
    findings: findings.kept,
    truncated: findingKinds.some(kind => findings.isFull(kind)),
    counts: findings.counts(),
    strangers,
    ...events,
    messages,
    seals,
    signedBy: [...signedBy].map(([key, count]) => ({ key: key === '' ? null : key, seals: count })),
    unsealed: rows[0].n,
    head,
  }
}

const findingKinds: readonly FindingKind[] = ['event', 'seal', 'row', 'message', 'archive']

/** From the planner's statistics. */
const aboutEvents = async (client: ClientBase): Promise<number> => {
  const { rows } = await client.query(
    `select greatest(reltuples, 0)::float8 as n from pg_class where oid = 'command_bus_event'::regclass`,
  )
  return Math.round(rows[0].n)
}

/** Compares what the seals name as archived with what the tables record. */
const verifyArchived = async (client: ClientBase, findings: Findings): Promise<void> => {
  const { rows } = await client.query<{ what: string; expected: number; found: number }>(
    `select x.what, x.expected::float8, x.found::float8 from (
       select 'streams' as what, coalesce(sum((s.about#>>'{archive,streams}')::bigint), 0) as expected,
         (select count(*) from command_bus_archived_stream) as found
       from command_bus_seal s where s.about ? 'archive'
       union all
       select 'events', coalesce(sum((s.about#>>'{archive,events}')::bigint), 0), (select count(*) from command_bus_archived_event)
       from command_bus_seal s where s.about ? 'archive') x
     where x.expected <> x.found`,
  )
  for (const { what, expected, found } of rows) {
    findings.add({
      kind: 'archive',
      stream: `command_bus_archived_${what === 'streams' ? 'stream' : 'event'}`,
      revision: null,
      column: '*',
      expected,
      found,
      message: `the seals name ${expected} archived ${what}, ${found} are recorded`,
    })
  }
}
