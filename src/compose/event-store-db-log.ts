import type { EventStore } from '../application/ports/event-store.ts'
import { UnavailableError } from '../application/shared/errors.ts'
import type { BusEvent } from '../domain/bus-event.ts'
import type { EventStoreDbLog, EventStoreDbLogOptions } from '../infrastructure/eventstoredb/index.ts'
import { healthOf } from '../infrastructure/eventstoredb/mirror/catch-up-health.ts'
import type { Follower } from '../infrastructure/eventstoredb/mirror/follower.ts'
import { MIRROR_PROJECTION } from '../infrastructure/postgres/log/checkpoint.ts'

const NOT_STARTED = {
  projection: MIRROR_PROJECTION,
  state: 'stopped',
  fault: null,
  position: null,
  lagMs: 0,
  applied: 0,
  passedOver: 0,
  troubledMs: 0,
  unansweredMs: 0,
  lastError: '',
} as const

/** The log in EventStoreDB. Its code is loaded by the first call: most programs have their log in PostgreSQL. */
export const createEventStoreDbLog = (options: EventStoreDbLogOptions) => {
  let log: EventStoreDbLog | null = null
  let loading: Promise<EventStoreDbLog> | null = null
  let isClosed = false
  const load = (): Promise<EventStoreDbLog> => {
    if (isClosed) return Promise.reject(new UnavailableError('the connection to EventStoreDB was closed'))
    loading ??= import('../infrastructure/eventstoredb/index.ts').then(({ openEventStoreDbLog }) => {
      log = openEventStoreDbLog(options)
      return log
    })
    return loading
  }
  const store: EventStore<BusEvent> = {
    // what openEventStoreDbLog's has, before it is there
    capabilities: { atomicAppend: false, inlineProjections: false },
    append: async (...args) => (await load()).store.append(...args),
    appendAll: async (...args) => (await load()).store.appendAll(...args),
    readStream: async (...args) => (await load()).store.readStream(...args),
    readStreams: async (...args) => (await load()).store.readStreams(...args),
  }
  const follower: Follower = {
    health: () => log?.catchUp.health() ?? healthOf(NOT_STARTED),
    resume: () => log?.catchUp.resume(),
    waitFor: async (...args) => (await load()).catchUp.waitFor(...args),
  }
  return {
    store,
    follower,
    begin: async () => (await load()).begin(),
    close: async () => {
      isClosed = true
      // a log that could not be opened has nothing to close
      await loading?.then(
        opened => opened.close(),
        () => {},
      )
    },
  }
}
