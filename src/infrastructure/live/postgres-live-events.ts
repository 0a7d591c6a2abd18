import type { Pool } from 'pg'
import { type Log, silentLog } from '../../application/ports/log.ts'
import { listenForDoorbell } from '../postgres/queue/doorbell.ts'
import { listenerLike } from '../postgres/transactions/pool.ts'
import type { LiveSource } from './live-event.ts'
import { createLiveEvents, type LiveEvents, type LiveEventsOptions } from './live-events.ts'
import { createPostgresLiveSource } from './postgres-source.ts'

/**
 * Live events of the log in PostgreSQL: reads through the pool, and listens on its own connection while needed.
 *
 * @param source the log, on the pool; events may be read elsewhere
 */
export const createPostgresLiveEvents = (
  pool: Pool,
  options: Omit<LiveEventsOptions, 'source' | 'listen'> = {},
  source: LiveSource = createPostgresLiveSource(pool),
): LiveEvents => {
  const log: Log = options.log ?? silentLog
  return createLiveEvents({
    ...options,
    source,
    listen: wake => listenForDoorbell(() => listenerLike(pool), null, wake, log),
  })
}
