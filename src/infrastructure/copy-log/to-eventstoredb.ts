import type { Client } from 'pg'
import type { EventStore, StreamAppend } from '../../application/ports/event-store.ts'
import { TooLargeError } from '../../application/shared/errors.ts'
import type { StoredEvent } from '../codec/event-codec.ts'
import { connectEventStoreDb } from '../eventstoredb/connection/connection.ts'
import { LOG_PREFIXES } from '../eventstoredb/index.ts'
import { assertSamePrefix } from '../eventstoredb/mirror/whose-log.ts'
import { createEventStoreDbEventFeed } from '../eventstoredb/store/event-feed.ts'
import { createEventStoreDbEventStore } from '../eventstoredb/store/event-store.ts'
import { beginningsOf } from '../eventstoredb/store/records.ts'
import { inTransaction } from '../postgres/connection/with-client.ts'
import { loadCheckpoint, MIRROR_PROJECTION, saveCheckpoint } from '../postgres/log/checkpoint.ts'
import type { EventRow } from '../postgres/log/event-store.ts'
import { AFTER, keptPosition, type LogPosition, logPage, positionText, startOfLog } from '../postgres/log/log-reader.ts'
import { asOnlyProcess, lockOutWriters } from '../postgres/transactions/only-process.ts'
import { compareLogs, countEvents } from './compare.ts'
import { type CopiedLog, CopyLogError, type CopyLogOptions, copyRefusal, storedCodec, unusedContext } from './stored.ts'

/** The checkpoint of an unfinished copy. */
const COPYING = 'copy-log'
const PAGE = 500
/** The default limit of EventStoreDB for one append: 1 MiB. */
const APPEND_BYTES = 512 * 1024

/**
 * Copies the log of a database to an EventStoreDB without commands, compares the two, and makes the database the mirror of that
 * log: a service that starts with EVENTSTORE_URL goes on there, and nothing is sent again. After an interruption the next run
 * continues.
 *
 * @throws CopyLogError
 */
export const copyToEventStoreDb = ({
  databaseUrl,
  eventStoreUrl,
  eventStorePrefix: streamPrefix = '',
  onProgress = () => {},
}: CopyLogOptions): Promise<CopiedLog> =>
  asOnlyProcess({ databaseUrl, command: 'copy-log', refusal: copyRefusal }, async client => {
    await lockOutWriters(client, copyRefusal)
    if ((await loadCheckpoint(client, MIRROR_PROJECTION)) !== null) {
      throw new CopyLogError('the log of this database is in EventStoreDB already')
    }
    await refuseOthers(client)
    const connection = connectEventStoreDb(eventStoreUrl)
    try {
      const options = { connection, codec: storedCodec, streamPrefix, prefixes: LOG_PREFIXES }
      const feed = createEventStoreDbEventFeed<StoredEvent>(options)
      await assertSamePrefix(client, streamPrefix, COPYING)
      let position = await loadCheckpoint(client, COPYING)
      if (position === null && (await feed.head()) !== null) {
        throw new CopyLogError(
          `this EventStoreDB has a log already: name one without streams that begin with ${beginningsOf(options).join(', ')}, or set another EVENTSTORE_PREFIX`,
        )
      }
      position ??= positionText(startOfLog)
      await saveCheckpoint(client, COPYING, position, streamPrefix)
      const { events: total } = await countEvents(client)
      const store = createEventStoreDbEventStore<StoredEvent>(options)
      let done = await countUpTo(client, position)
      for (;;) {
        const page = await readPage(client, position)
        const last = page.at(-1)
        if (last === undefined) break
        await appendPage(store, page)
        position = positionText(last)
        await saveCheckpoint(client, COPYING, position)
        done += page.length
        onProgress({ phase: 'copying', done, total })
      }
      const { end, ...copied } = await compareLogs(client, feed, onProgress)
      await inTransaction(client, async () => {
        // a log without commands has no end; any position is after nothing
        await saveCheckpoint(client, MIRROR_PROJECTION, end ?? positionText(startOfLog), streamPrefix)
        await client.query('delete from command_bus_checkpoint where projection = $1::text', [COPYING])
      })
      return copied
    } finally {
      await connection.close()
    }
  })

const refuseOthers = async (client: Client): Promise<void> => {
  const { rows } = await client.query(
    `select stream from command_bus_event where not stream ^@ any ($1::text[]) limit 1`,
    [LOG_PREFIXES],
  )
  if (rows.length === 0) return
  throw new CopyLogError(`the log holds streams that are not the bus's ('${rows[0].stream}'), which cannot be copied`)
}

interface LogRow extends EventRow, LogPosition {}

const countUpTo = async (client: Client, copied: string): Promise<number> => {
  const { xid, position } = keptPosition(copied)
  const { rows } = await client.query(
    `select count(*)::int as count from command_bus_event where (xid, position) <= ($1::xid8, $2::bigint)`,
    [xid, position],
  )
  return rows[0].count
}

/** In the order of the feed. Appends are locked out, so what is committed is complete. */
const readPage = async (client: Client, after: string): Promise<readonly LogRow[]> => {
  const { xid, position } = keptPosition(after)
  const { rows } = await client.query<LogRow>(logPage(AFTER, PAGE), [xid, position])
  return rows
}

/** Appends the events of a stream one after another, and streams in parallel. An append that is there already counts as done. */
const appendPage = async (store: EventStore<StoredEvent>, page: readonly LogRow[]): Promise<void> => {
  const streams = new Map<string, StreamAppend<StoredEvent>[]>()
  for (const row of page) {
    const appends = streams.get(row.stream) ?? []
    const revision = Number(row.revision)
    const next = { id: row.id, event: { type: row.type, data: row.data, meta: row.meta }, context: unusedContext }
    const last = appends.at(-1)
    if (last !== undefined && bytesOf([...last.events, next]) <= APPEND_BYTES) {
      appends[appends.length - 1] = { ...last, events: [...last.events, next] }
    } else {
      appends.push({ stream: row.stream, expected: revision === 0 ? 'none' : revision - 1, events: [next] })
    }
    streams.set(row.stream, appends)
  }
  const results = await Promise.allSettled(
    [...streams.values()].map(async appends => {
      for (const append of appends) await appendOne(store, append)
    }),
  )
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

/** Appends in halves where the server's limit is below the default. */
const appendOne = async (store: EventStore<StoredEvent>, append: StreamAppend<StoredEvent>): Promise<void> => {
  const { stream, expected, events } = append
  const from = typeof expected === 'number' ? expected + 1 : 0
  try {
    const [result] = await store.append([append])
    if (result?.outcome === 'conflict') {
      throw new CopyLogError(`'${stream}' has other events in EventStoreDB: it is not a copy of this log`)
    }
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error
    const half = Math.ceil(events.length / 2)
    if (half === events.length) {
      throw new CopyLogError(
        `event ${from} of '${stream}' has ${bytesOf(events)} bytes, and EventStoreDB takes less in one append: ` +
          "raise the server's MaxAppendSize, then run this again: it continues where it stopped",
        { cause: error },
      )
    }
    await appendOne(store, { stream, expected, events: events.slice(0, half) })
    await appendOne(store, { stream, expected: from + half - 1, events: events.slice(half) })
  }
}

const bytesOf = (events: StreamAppend<StoredEvent>['events']): number =>
  events.reduce((sum, { event }) => sum + Buffer.byteLength(JSON.stringify(event)), 0)
