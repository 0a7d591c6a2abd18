import type { Client, Pool } from 'pg'
import type { EventStore } from '../../application/ports/event-store.ts'
import type { Log } from '../../application/ports/log.ts'
import type { BusEvent } from '../../domain/bus-event.ts'
import { COMMAND_PREFIX } from '../../domain/command/names.ts'
import { busCodec } from '../codec/workflow-codec.ts'
import { MIRROR_PROJECTION } from '../postgres/log/checkpoint.ts'
import type { InlineProjections } from '../postgres/log/commit-plan.ts'
import { rowPrefixes } from '../postgres/read-tables/workflow-fold.ts'
import { connectEventStoreDb } from './connection/connection.ts'
import { type CatchUp, type CatchUpOptions, createCatchUp } from './mirror/catch-up.ts'
import { withSetAside } from './mirror/catch-up-health.ts'
import type { EventStoreDbLimits } from './mirror/follower.ts'
import { withIntents } from './mirror/intents.ts'
import type { MirrorOptions } from './mirror/mirror.ts'
import { createRelay } from './mirror/relay.ts'
import { assertLogIsThere } from './mirror/whose-log.ts'
import { createEventStoreDbEventStore } from './store/event-store.ts'

export interface EventStoreDbLogOptions {
  /** `esdb://...` or `esdb+discover://...`; `kurrentdb` means the same. */
  readonly url: string
  /** The prefix of all stream names in EventStoreDB. Default: none. */
  readonly streamPrefix?: string
  /** The database of the read tables and queues. */
  readonly pool: Pool
  readonly newClient: () => Client
  readonly projections: InlineProjections<BusEvent>
  readonly ensureQueues: CatchUpOptions<BusEvent>['ensureQueues']
  readonly replyQueues?: MirrorOptions<BusEvent>['replyQueues']
  readonly onFilled: CatchUpOptions<BusEvent>['onFilled']
  readonly log: Log
  /** For tests. */
  readonly limits?: EventStoreDbLimits
}

/** How the streams of this log begin: those of commands, and those that make the rows of the other read tables. */
export const LOG_PREFIXES = [COMMAND_PREFIX, ...rowPrefixes]

/** The log in EventStoreDB, with the runner that applies it to PostgreSQL. */
export interface EventStoreDbLog {
  readonly store: EventStore<BusEvent>
  readonly catchUp: CatchUp
  /** Checks that the database belongs to this log, then follows the log and relays commands sent in transactions. Idempotent. */
  readonly begin: () => Promise<void>
  readonly close: () => Promise<void>
}

export const openEventStoreDbLog = ({
  url,
  streamPrefix = '',
  limits = {},
  ...given
}: EventStoreDbLogOptions): EventStoreDbLog => {
  const connection = connectEventStoreDb(url)
  const shared = { connection, codec: busCodec, streamPrefix, ...limits }
  const catchUp = createCatchUp<BusEvent>({
    ...given,
    prefixes: LOG_PREFIXES,
    projection: MIRROR_PROJECTION,
    ...shared,
  })
  const store = createEventStoreDbEventStore<BusEvent>(shared)
  const relay = createRelay<BusEvent>({ ...shared, pool: given.pool, store, log: given.log })
  return {
    store: withIntents(store, shared.codec, relay.wake),
    catchUp: { ...catchUp, health: () => withSetAside(catchUp.health(), relay.setAside()) },
    begin: async () => {
      if (catchUp.health().state !== 'stopped') return
      await assertLogIsThere(given.pool, streamPrefix)
      // a client that is not installed is said here, and not tried for again and again
      await connection.reader()
      catchUp.start()
      relay.start()
    },
    close: async () => {
      await Promise.all([relay.stop(), catchUp.stop()])
      await connection.close()
    },
  }
}
