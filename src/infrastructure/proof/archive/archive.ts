import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type ClientBase, escapeIdentifier, type Pool } from 'pg'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { settleEvery } from '../../postgres/bulk/became.ts'
import { inTransaction } from '../../postgres/connection/with-client.ts'
import { assertSessions } from '../../postgres/transactions/pool.ts'
import { withUnhurriedClient } from '../../postgres/transactions/unhurried.ts'
import type { CaseHeader, MessageLine } from '../case/case-lines.ts'
import { type WrittenCase, writeCase } from '../case/write-case.ts'
import { eventHash, sha256 } from '../chain/event-hash.ts'
import type { Signer } from '../chain/keys.ts'
import { holdSeals, logName, sealAbout, sealEvents, sealHead } from '../chain/seals.ts'
import { archivable, messagesOf, oldMessages, type Picked, pickStreams, streamEvents } from './archive-rows.ts'

export interface ArchiveOptions {
  readonly pool: Pool
  readonly signer: Signer
  readonly directory: string
  /** Commands that ended, and messages that were archived, before this instant. */
  readonly before: Date
  readonly by: string
  readonly now: () => Date
  /** The most commands in one file. Default 5,000. */
  readonly chunk?: number
  readonly onFile?: (file: ArchivedFile) => void
}

export interface ArchivedFile extends WrittenCase {
  readonly file: string
}

/** Held while many rows are replaced or removed, also by a rebuild; see `rebuildCommands`. */
const LOCK = `hashtextextended('commandbus:rebuild', 0)`
const CHUNK = 5_000

/** The instant `age` milliseconds ago, by the clock of the database. */
export const instantBefore = async (pool: Pool, age: number): Promise<Date> => {
  const { rows } = await pool.query<{ now: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
  )
  return new Date((rows[0]?.now ?? Number.NaN) - age)
}

export const countOld = (pool: Pool, before: Date) => withUnhurriedClient(pool, client => archivable(client, before))

/**
 * Moves old data out of the database into signed files: the events and rows of commands that have ended, and archived
 * messages. A file is on the disk before its rows are removed, and each removal is recorded, so that a crash loses nothing and
 * the next run goes on. The bus keeps working.
 *
 * @throws CommandBusError LOG_DAMAGED when an event is not what was recorded: nothing of its file is moved
 */
export const archiveOld = async (options: ArchiveOptions): Promise<readonly ArchivedFile[]> => {
  const { pool, signer, directory, before, chunk = CHUNK, onFile = () => {} } = options
  await assertSessions(pool, '`commandbus archive`')
  await mkdir(directory, { recursive: true }).catch(error => {
    throw new CommandBusError('FILE', `${directory} cannot be made (${error.code})`, { cause: error })
  })
  // only sealed events are moved: their seals stay
  await sealEvents(pool, { signer })
  await settleEvery(pool)
  return withUnhurriedClient(pool, async client => {
    const { rows } = await client.query(`select pg_try_advisory_lock(${LOCK}) as ours`)
    if (rows[0].ours !== true) {
      throw new CommandBusError('BUSY', 'a rebuild or another archive is running: wait for it, or end it')
    }
    const files: ArchivedFile[] = []
    const put = async (picked: readonly Picked[], messages: readonly MessageLine[]): Promise<void> => {
      const file = await move(client, options, picked, messages)
      files.push(file)
      onFile(file)
    }
    for (;;) {
      const picked = await pickStreams(client, before, chunk)
      if (picked.length === 0) break
      await put(picked, await messagesOf(client, picked))
    }
    for (;;) {
      const messages = await oldMessages(client, before, chunk)
      if (messages.length === 0) break
      await put([], messages)
    }
    // after a failure the lock ends with the connection
    await client.query(`select pg_advisory_unlock(${LOCK})`)
    return files
  })
}

const move = async (
  client: ClientBase,
  { signer, directory, before, by, now }: ArchiveOptions,
  picked: readonly Picked[],
  messages: readonly MessageLine[],
): Promise<ArchivedFile> => {
  const log = await logName(client)
  const { rows } = await client.query(`select count(*)::int as n from command_bus_seal where about ? 'archive'`)
  const number: number = rows[0].n + 1
  const path = join(directory, `${log.slice(0, 8)}-${String(number).padStart(6, '0')}.jsonl.gz`)
  // no seal names it: it is left from a run that was killed, or from a database that is gone
  if (existsSync(path)) await rename(path, `${path}.unrecorded`)
  const { number: seal, hash } = await sealHead(client)
  const header: CaseHeader = {
    format: 'commandbus',
    version: 1,
    kind: 'archive',
    log,
    madeAt: now().toISOString(),
    madeBy: by,
    about: { number, before: before.toISOString() },
    redacted: null,
    seal: { number: seal, hash },
  }
  const last = new Map<string, { readonly revision: number; readonly hash: string }>()
  const written = await writeCase(path, header, signer, async writer => {
    for await (const event of streamEvents(client, picked)) {
      const after = last.get(event.stream)
      const chained = eventHash(after === undefined ? Buffer.alloc(0) : Buffer.from(after.hash, 'hex'), {
        ...event,
        dataHash: sha256(event.data),
      })
      if (event.revision !== (after?.revision ?? -1) + 1 || chained.toString('hex') !== event.hash) {
        throw new CommandBusError(
          'LOG_DAMAGED',
          `nothing is moved, because event ${event.revision} of ${event.stream} is not what was recorded: see \`commandbus verify\``,
        )
      }
      last.set(event.stream, { revision: event.revision, hash: event.hash })
      await writer.event(event)
    }
    for (const message of messages) await writer.message(message)
  })
  await inTransaction(client, async () => {
    await holdSeals(client)
    const { streams, events, sha256: fileHash } = written
    const about = {
      archive: { number, file: basename(path), sha256: fileHash, streams, events, messages: messages.length, by },
    }
    const { number: sealNumber } = await sealAbout(client, signer, about)
    await remove(client, picked, last, messages, { sealNumber, events })
  })
  return { ...written, file: path }
}

const changed = (): CommandBusError =>
  new CommandBusError(
    'CHANGED_MEANWHILE',
    'a command or message changed while it was being moved: nothing was removed, run it again',
  )

const remove = async (
  client: ClientBase,
  picked: readonly Picked[],
  last: ReadonlyMap<string, { readonly revision: number; readonly hash: string }>,
  messages: readonly MessageLine[],
  { sealNumber, events }: { readonly sealNumber: string; readonly events: number },
): Promise<void> => {
  const streams = picked.map(({ stream }) => stream)
  if (streams.length > 0) {
    await client.query(
      `insert into command_bus_archived_stream (stream, revision, hash, status, seal)
       select x.stream, x.revision, decode(x.hash, 'hex'), x.status, $5::bigint
       from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) x(stream, revision, hash, status)`,
      [
        streams,
        streams.map(stream => last.get(stream)?.revision ?? null),
        streams.map(stream => last.get(stream)?.hash ?? null),
        picked.map(({ status }) => status),
        sealNumber,
      ],
    )
    await client.query(
      `insert into command_bus_archived_event (xid, position, hash)
       select e.xid, e.position, e.hash from unnest($1::text[]) s(stream)
       join command_bus_event e on e.stream = s.stream collate "C"`,
      [streams],
    )
    const removed = await client.query(
      `delete from command_bus_event e using unnest($1::text[]) s(stream) where e.stream = s.stream collate "C"`,
      [streams],
    )
    const rows = await client.query(
      `delete from command_bus_command c using unnest($1::text[], $2::uuid[], $3::bigint[]) x(domain, command_id, revision)
       where c.domain = x.domain collate "C" and c.command_id = x.command_id and c.revision = x.revision`,
      [picked.map(one => one.domain), picked.map(one => one.command_id), picked.map(one => one.revision)],
    )
    await client.query(
      `delete from command_bus_search_value v using unnest($1::text[], $2::uuid[]) x(domain, command_id)
       where v.domain = x.domain collate "C" and v.command_id = x.command_id`,
      [picked.map(one => one.domain), picked.map(one => one.command_id)],
    )
    if (removed.rowCount !== events || rows.rowCount !== streams.length) throw changed()
  }
  const queues = new Map<string, string[]>()
  for (const { queue, msgId } of messages) queues.set(queue, [...(queues.get(queue) ?? []), msgId])
  for (const [queue, ids] of queues) {
    const gone = await client.query(
      `delete from pgmq.${escapeIdentifier(`a_${queue}`)} where msg_id = any ($1::bigint[])`,
      [ids],
    )
    if (gone.rowCount !== ids.length) throw changed()
    if (streams.length > 0) continue
    await client.query(
      `insert into command_bus_archived_message (queue, msg_id, seal) select $1::text, m, $3::bigint from unnest($2::bigint[]) m`,
      [queue, ids, sealNumber],
    )
  }
}
