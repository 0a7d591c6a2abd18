import type { Client, Pool } from 'pg'
import type { EventStore } from '../application/ports/event-store.ts'
import type { Log } from '../application/ports/log.ts'
import { InvalidInputError } from '../application/shared/errors.ts'
import type { BusEvent } from '../domain/bus-event.ts'
import { busCodec } from '../infrastructure/codec/workflow-codec.ts'
import { isAway } from '../infrastructure/eventstoredb/connection/errors.ts'
import { eventStorePrefixForm, isEventStorePrefix } from '../infrastructure/eventstoredb/connection/prefix.ts'
import { eventStoreUrlForm, isEventStoreUrl } from '../infrastructure/eventstoredb/connection/url.ts'
import type { EventStoreDbLogOptions } from '../infrastructure/eventstoredb/index.ts'
import type { Follower } from '../infrastructure/eventstoredb/mirror/follower.ts'
import { assertLogIsHere } from '../infrastructure/eventstoredb/mirror/whose-log.ts'
import { archivedCommand } from '../infrastructure/postgres/log/archived-command.ts'
import type { InlineProjections } from '../infrastructure/postgres/log/commit-plan.ts'
import { createPostgresEventStore, type PostgresEventStoreOptions } from '../infrastructure/postgres/log/event-store.ts'
import type { ReplyQueues } from '../infrastructure/postgres/queue/reply-queues.ts'
import { createEventStoreDbLog } from './event-store-db-log.ts'

/** The log, in PostgreSQL or EventStoreDB. */
export interface CommandLog {
  readonly store: EventStore<BusEvent>
  /** The same log, on the connections of workers, which handlers never hold. */
  readonly workerStore: EventStore<BusEvent>
  /** The same log, read on connections of another pool of its database. */
  readonly storeOn: (pool: Pool) => EventStore<BusEvent>
  /** Checks that the log and the database belong together, then follows the log. May be called repeatedly. */
  readonly begin: () => Promise<void>
  /** Whether an error means that EventStoreDB cannot be reached now; false for PostgreSQL's errors. */
  readonly isAway: (error: unknown) => boolean
  /** Null: the log is in PostgreSQL, rows and messages are committed with the events. */
  readonly follower: Follower | null
  readonly close: () => Promise<void>
}

export interface CommandLogOptions {
  /** Undefined: the log is in PostgreSQL. */
  readonly eventStoreUrl: string | undefined
  /** The prefix of its stream names in EventStoreDB. */
  readonly eventStorePrefix: string | undefined
  readonly pool: Pool
  /** Separate from the connections that callers and handlers hold. */
  readonly workerPool: Pool
  readonly newClient: () => Client
  readonly projections: InlineProjections<BusEvent>
  readonly ensureQueues: PostgresEventStoreOptions<BusEvent>['ensureQueues']
  readonly replyQueues: ReplyQueues
  readonly queuesAwaited: PostgresEventStoreOptions<BusEvent>['queuesAwaited']
  readonly onFilled: (queues: ReadonlySet<string>) => void
  readonly log: Log
  readonly limits: EventStoreDbLogOptions['limits']
}

/** @throws InvalidInputError when `eventStoreUrl` or `eventStorePrefix` cannot work. */
export const openLog = ({
  eventStoreUrl: url,
  eventStorePrefix: streamPrefix,
  limits,
  workerPool,
  ...options
}: CommandLogOptions): CommandLog => {
  if (url === undefined) {
    if (streamPrefix !== undefined) throw new InvalidInputError('eventStorePrefix', 'goes with eventStoreUrl only')
    const storeOn = (pool: Pool) =>
      createPostgresEventStore({ ...options, pool, codec: busCodec, ofArchived: archivedCommand })
    return {
      store: storeOn(options.pool),
      workerStore: storeOn(workerPool),
      storeOn,
      begin: () => assertLogIsHere(options.pool),
      isAway: () => false,
      follower: null,
      close: async () => {},
    }
  }
  if (!isEventStoreUrl(url)) throw new InvalidInputError('eventStoreUrl', `must be ${eventStoreUrlForm}`)
  if (streamPrefix !== undefined && !isEventStorePrefix(streamPrefix)) {
    throw new InvalidInputError('eventStorePrefix', `must be ${eventStorePrefixForm}`)
  }
  const { store, follower, begin, close } = createEventStoreDbLog({
    ...options,
    url,
    ...(streamPrefix === undefined ? {} : { streamPrefix }),
    ...(limits === undefined ? {} : { limits }),
  })
  return { store, workerStore: store, storeOn: () => store, begin, isAway, follower, close }
}
