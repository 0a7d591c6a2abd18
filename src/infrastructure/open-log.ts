import type { Client, Pool } from 'pg'
import { InvalidInputError } from '../application/errors.ts'
import type { EventStore } from '../application/ports/event-store.ts'
import type { Log } from '../application/ports/log.ts'
import type { BusEvent } from '../domain/bus-event.ts'
import { archivedCommand } from './archived-command.ts'
import { busCodec } from './codec/workflow-codec.ts'
import { isAway } from './eventstoredb/errors.ts'
import type { Follower } from './eventstoredb/follower.ts'
import { type EventStoreDbLogOptions, openEventStoreDbLog } from './eventstoredb/index.ts'
import { eventStoreUrlForm, isEventStoreUrl } from './eventstoredb/url.ts'
import { assertLogIsHere } from './eventstoredb/whose-log.ts'
import { createPostgresEventStore } from './postgres/event-store.ts'
import type { InlineProjections } from './postgres/unit-of-work.ts'

/** The log, wherever it is. */
export interface CommandLog {
  readonly store: EventStore<BusEvent>
  /** Checks that the log and the database belong together, then follows the log. May be called again and again. */
  readonly begin: () => Promise<void>
  /** Whether an error means that the log cannot be reached now; the database's own errors are not looked at. */
  readonly isAway: (error: unknown) => boolean
  /** Null: the log is in PostgreSQL, rows and messages are committed with the events. */
  readonly follower: Follower | null
  readonly close: () => Promise<void>
}

export interface CommandLogOptions {
  /** Where the log is when it is not in PostgreSQL. */
  readonly eventStoreUrl: string | undefined
  readonly pool: Pool
  readonly newClient: () => Client
  readonly projections: InlineProjections<BusEvent>
  readonly ensureQueues: EventStoreDbLogOptions['ensureQueues']
  readonly onFilled: (queues: ReadonlySet<string>) => void
  readonly log: Log
  readonly limits: EventStoreDbLogOptions['limits']
}

/** @throws InvalidInputError when `eventStoreUrl` cannot be a connection string. */
export const openLog = ({ eventStoreUrl: url, limits, ...options }: CommandLogOptions): CommandLog => {
  if (url === undefined) {
    return {
      store: createPostgresEventStore({ ...options, codec: busCodec, ofArchived: archivedCommand }),
      begin: () => assertLogIsHere(options.pool),
      isAway: () => false,
      follower: null,
      close: async () => {},
    }
  }
  if (!isEventStoreUrl(url)) throw new InvalidInputError('eventStoreUrl', `must be ${eventStoreUrlForm}`)
  const { store, catchUp, begin, close } = openEventStoreDbLog({
    ...options,
    url,
    ...(limits === undefined ? {} : { limits }),
  })
  return { store, begin, isAway, follower: catchUp, close }
}
