import type { Pool } from 'pg'
import { maskSecrets } from '../../application/shared/mask-secrets.ts'
import { busCodec } from '../codec/workflow-codec.ts'
import { connectEventStoreDb } from '../eventstoredb/connection/connection.ts'
import { eventStoreHosts } from '../eventstoredb/connection/url.ts'
import { LOG_PREFIXES } from '../eventstoredb/index.ts'
import { readSetAside, setAsideReasons } from '../eventstoredb/mirror/set-aside.ts'
import { assertLogIsThere } from '../eventstoredb/mirror/whose-log.ts'
import { createEventStoreDbEventFeed } from '../eventstoredb/store/event-feed.ts'
import { isAfter, parsePosition } from '../eventstoredb/store/records.ts'
import type { Check } from '../http/pages/health.ts'
import { loadCheckpoint, MIRROR_PROJECTION } from '../postgres/log/checkpoint.ts'

const ANSWER_MS = 2_000

/** For the doctor: whether EventStoreDB answers, belongs to this database, and has events that the mirror lacks. */
export const checkEventStore = async (url: string, streamPrefix: string, pool: Pool): Promise<Check> => {
  const facts = { hosts: eventStoreHosts(url) }
  try {
    await assertLogIsThere(pool, streamPrefix)
    const connection = connectEventStoreDb(url)
    try {
      const limits = { timeoutMs: ANSWER_MS, retryMs: 0 }
      const ours = { streamPrefix, prefixes: LOG_PREFIXES }
      const feed = createEventStoreDbEventFeed({ connection, codec: busCodec, ...ours, ...limits })
      const [head, reached, refused] = await Promise.all([
        feed.head(),
        loadCheckpoint(pool, MIRROR_PROJECTION),
        readSetAside(pool),
      ])
      const isBehind = head !== null && (reached === null || isAfter(parsePosition(head), parsePosition(reached)))
      const reasons = [
        ...(isBehind ? ['events wait in EventStoreDB: a running service or worker applies them'] : []),
        ...setAsideReasons(refused),
      ]
      return { status: reasons.length > 0 ? 'degraded' : 'healthy', reasons, ...facts }
    } finally {
      await connection.close()
    }
  } catch (error) {
    return {
      status: 'critical',
      reasons: [maskSecrets(error instanceof Error ? error.message : String(error))],
      ...facts,
    }
  }
}
