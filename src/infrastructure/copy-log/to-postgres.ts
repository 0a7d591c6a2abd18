import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import { silentLog } from '../../application/ports/log.ts'
import { busProjections } from '../../projections/bus-projections.ts'
import type { StoredEvent } from '../codec/event-codec.ts'
import { connectEventStoreDb } from '../eventstoredb/connection/connection.ts'
import { type EventStoreDbLog, LOG_PREFIXES, openEventStoreDbLog } from '../eventstoredb/index.ts'
import { createEventStoreDbEventFeed } from '../eventstoredb/store/event-feed.ts'
import { MIRROR_PROJECTION } from '../postgres/log/checkpoint.ts'
import { createQueueCatalog } from '../postgres/queue/queue-catalog.ts'
import { asOnlyProcess } from '../postgres/transactions/only-process.ts'
import { clientLike, createPool } from '../postgres/transactions/pool.ts'
import { compareLogs } from './compare.ts'
import { type CopiedSettings, copySettings, countSettings } from './settings.ts'
import {
  type CopiedLog,
  type CopyBackOptions,
  CopyLogError,
  type CopyLogOptions,
  copyRefusal,
  storedCodec,
} from './stored.ts'

const LOOK_MS = 100

/**
 * Copies the events that the mirror of an EventStoreDB does not have yet (or all, to an empty database), compares the two, and
 * makes the mirror the log: a service that starts without EVENTSTORE_URL goes on there. EventStoreDB is not changed. Messages
 * of mirrored events are not sent again; an empty database gets the messages of unfinished commands. What is in no log, such as
 * declarations of sensitive members, comes from `settingsFrom`, if it is given.
 *
 * @throws CopyLogError
 */
export const copyToPostgres = ({
  databaseUrl,
  eventStoreUrl,
  eventStorePrefix: streamPrefix = '',
  settingsFrom,
  onProgress = () => {},
}: CopyBackOptions): Promise<CopiedLog & { readonly settings: CopiedSettings }> =>
  asOnlyProcess({ databaseUrl, command: 'copy-log', refusal: copyRefusal }, async client => {
    const pool = createPool(databaseUrl, 4)
    const connection = connectEventStoreDb(eventStoreUrl)
    try {
      const options = { connection, codec: storedCodec, streamPrefix, prefixes: LOG_PREFIXES }
      const feed = createEventStoreDbEventFeed<StoredEvent>(options)
      const head = await feed.head()
      if (head === null)
        throw new CopyLogError('this EventStoreDB has no streams of a bus: check EVENTSTORE_URL and EVENTSTORE_PREFIX')
      await catchUp({ pool, url: eventStoreUrl, streamPrefix, head, onProgress })
      const { end: _, ...copied } = await compareLogs(client, feed, onProgress)
      // before the switch: nobody may see what is hidden
      if (settingsFrom !== undefined) await copySettings(settingsFrom, pool)
      await client.query('delete from command_bus_checkpoint where projection = $1::text', [MIRROR_PROJECTION])
      return { ...copied, settings: await countSettings(client) }
    } finally {
      await connection.close()
      await pool.end()
    }
  })

interface CatchingUp extends Required<Pick<CopyLogOptions, 'onProgress'>> {
  readonly pool: Pool
  readonly url: string
  readonly streamPrefix: string
  readonly head: string
}

/** With an outbox that deletes messages of completed commands: a new queue does not have them anyway. */
const catchUp = async ({ pool, url, streamPrefix, head, onProgress }: CatchingUp): Promise<void> => {
  const log = openEventStoreDbLog({
    url,
    streamPrefix,
    pool,
    newClient: () => clientLike(pool),
    projections: busProjections({ onSuccess: 'delete' }),
    ensureQueues: createQueueCatalog(pool).ensure,
    onFilled: () => {},
    log: silentLog,
  })
  try {
    await log.begin()
    while (!(await isThere(log, pool, head))) {
      const { fault, applied } = log.catchUp.health()
      if (fault !== null) {
        throw new CopyLogError(`event ${fault.revision} of '${fault.stream}' cannot be applied: ${fault.message}`)
      }
      onProgress({ phase: 'copying', done: applied, total: applied })
      await delay(LOOK_MS)
    }
  } finally {
    await log.close()
  }
}

/** Whether the mirror has reached `head` and the relay has no commands left. */
const isThere = async ({ catchUp: follower }: EventStoreDbLog, pool: Pool, head: string): Promise<boolean> => {
  const { outcome } = await follower.waitFor({ position: head }, { timeoutMs: LOOK_MS })
  if (outcome === 'late') return false
  const { rows } = await pool.query('select from command_bus_intent limit 1')
  return rows.length === 0
}
