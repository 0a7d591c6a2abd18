import type { ClientBase, Pool } from 'pg'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { creditsStream } from '../../../domain/credits/names.ts'
import { isUuid } from '../../../domain/uuid.ts'
import { runStream } from '../../../domain/workflow-run/names.ts'
import { streamOf } from '../../postgres/log/command-streams.ts'
import { commandIdIs, correlationIdIs } from '../../postgres/reading/domains.ts'
import { withUnhurriedClient } from '../../postgres/transactions/unhurried.ts'
import { exactColumns, sha256 } from '../chain/event-hash.ts'
import type { Signer } from '../chain/keys.ts'
import { logName, sealHead } from '../chain/seals.ts'
import type { EventLine } from './case-lines.ts'
import { redactJson, rulesOf } from './redact.ts'
import { type WrittenCase, writeCase } from './write-case.ts'

export interface ExportOptions {
  readonly pool: Pool
  readonly path: string
  readonly signer: Signer
  /** All commands with this correlation id, and those named below. */
  readonly correlationId?: string
  readonly commandIds?: readonly string[]
  /** Further members of the data to redact, beside those that look like secrets. */
  readonly redact?: readonly string[]
  readonly madeBy: string
  readonly now: Date
}

const PAGE = 500

export interface Exported extends WrittenCase {
  readonly commands: number
  /** Workflow runs: 1 if the correlation id is the id of a run. */
  readonly runs: number
  /** Entries of the ledger: the run's charges and refunds. */
  readonly entries: number
}

/**
 * Writes the whole history of some commands, and of the run they are jobs of, to a signed file that can be read without a
 * database. Secrets in the data are redacted; actors and times are not.
 * @throws CommandBusError NOT_FOUND when there is nothing to write
 */
export const exportBundle = (options: ExportOptions): Promise<Exported> => {
  const { pool, path, signer, correlationId, commandIds = [], redact = [], madeBy, now } = options
  return withUnhurriedClient(pool, async client => {
    await client.query('begin isolation level repeatable read read only')
    const { rows } = await client.query<{ stream: string }>(
      `select ${streamOf('c')} as stream from command_bus_command c
       where ${correlationIdIs('c', '$1')} or ${commandIdIs('c', 'any ($2::uuid[])')} order by created_at, command_id, domain`,
      [correlationId ?? null, commandIds],
    )
    const runs = await runStreams(client, correlationId)
    if (rows.length + runs.length === 0) throw nothingThere(options)
    const { number, hash } = await sealHead(client)
    const header = {
      format: 'commandbus',
      version: 1,
      kind: 'bundle',
      log: await logName(client),
      madeAt: now.toISOString(),
      madeBy,
      about: { correlationId: correlationId ?? null, commandIds },
      redacted: { rules: rulesOf(redact) },
      seal: { number, hash },
    } as const
    let entries = 0
    const written = await writeCase(path, header, signer, async writer => {
      for (const { stream } of [...runs, ...rows]) {
        for await (const event of eventsOf(client, stream)) await writer.event(redacted(event, redact))
      }
      for (const event of await entriesOf(client, correlationId)) {
        await writer.event(redacted(event, redact))
        entries++
      }
    })
    await client.query('rollback')
    return { ...written, commands: rows.length, runs: runs.length, entries }
  })
}

const nothingThere = ({ correlationId, commandIds = [] }: ExportOptions): CommandBusError =>
  new CommandBusError(
    'NOT_FOUND',
    correlationId === undefined
      ? `there is no command ${commandIds.join(' or ')}`
      : `there is no command, and no run, with correlation id '${correlationId}'`,
  )

/** The run whose id the correlation id is, where there is one. */
const runStreams = async (client: ClientBase, correlationId: string | undefined) => {
  if (correlationId === undefined || !isUuid(correlationId)) return []
  const { rows } = await client.query<{ stream: string }>(
    `select e.stream from command_bus_event e where e.stream = $1::text collate "C" order by e.revision limit 1`,
    [runStream(correlationId)],
  )
  return rows
}

/** The run's charges and refunds, without other entries of its tenant's ledger. */
const entriesOf = async (client: ClientBase, correlationId: string | undefined): Promise<readonly EventLine[]> => {
  if (correlationId === undefined || !isUuid(correlationId)) return []
  const { rows } = await client.query<EventLine & { readonly before: string | null }>(
    `select ${exactColumns}, (
       select encode(b.hash, 'hex') from command_bus_event b where b.stream = e.stream and b.revision = e.revision - 1) as before
     from command_bus_credit_entry c
     join command_bus_event e on e.stream = ('${creditsStream('')}' || c.tenant_id) collate "C" and e.revision = c.revision
     where c.run_id = $1::uuid order by e.stream, e.revision`,
    [correlationId],
  )
  return rows.map(({ before, ...event }, i) => {
    const isNext = rows[i - 1]?.stream === event.stream && rows[i - 1]?.revision === event.revision - 1
    return before === null || isNext ? event : { ...event, before }
  })
}

async function* eventsOf(client: ClientBase, stream: string): AsyncGenerator<EventLine> {
  for (let after = -1; ; ) {
    const { rows } = await client.query<EventLine>(
      `select ${exactColumns} from command_bus_event e
       where e.stream = $1::text collate "C" and e.revision > $2::bigint order by e.revision limit ${PAGE}`,
      [stream, after],
    )
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) return
    after = last.revision
  }
}

const redacted = (event: EventLine, names: readonly string[]): EventLine => {
  const { value, paths } = redactJson(JSON.parse(event.data), names)
  if (paths.length === 0) return event
  return { ...event, data: JSON.stringify(value), dataHash: sha256(event.data).toString('hex'), redacted: [...paths] }
}
