import { commandStoreOf } from '../../application/commands/command-store.ts'
import { createTransactCommands } from '../../application/commands/transact-commands.ts'
import type { FeedEvent } from '../../application/ports/event-feed.ts'
import type { SettingsLog } from '../../application/ports/reading/settings-log.ts'
import type { BusEvent } from '../../domain/bus-event.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { eventIds } from '../../infrastructure/shared/uuid-ids.ts'
import type { OutboxOptions } from '../../projections/outbox.ts'
import { createMemoryQueries } from '../memory/command-queries.ts'
import { createMemoryEventStore } from '../memory/event-store.ts'
import { createMemoryPauses, createMemorySchedules } from '../memory/flow-queries.ts'
import { encoded } from '../memory/log.ts'
import { createProjections, dataOf } from '../memory/projections.ts'
import { createMemoryQueue } from '../memory/queue-port.ts'
import { createQueues, type MemoryMessage } from '../memory/queues.ts'
import { createTables } from '../memory/tables.ts'
import type { TestClock } from '../memory/test-clock.ts'
import type { Away } from '../running/away.ts'

export interface StoresDeps extends OutboxOptions {
  readonly clock: TestClock
  readonly away: Away
}

/** Log, queues and read tables in memory, and the queries on them. All of it fails while the store is away. */
export const openStores = ({ clock, away, onSuccess }: StoresDeps) => {
  const now = clock.ms
  const queues = createQueues(now)
  const tables = createTables()
  const strangers: MemoryMessage[] = []

  const projections = createProjections({
    tables,
    queues,
    now,
    onSuccess,
    dataAt: (stream, revision) => {
      const event = log.streams.get(stream)?.[revision]
      return event === undefined ? null : dataOf(event)
    },
  })
  const log = createMemoryEventStore<BusEvent>(clock.now, projections)
  const eventsOf = (stream: string) => (log.streams.get(stream) ?? []) as readonly FeedEvent<CommandEvent>[]
  const store = { ...away.unlessAway(encoded(log)), capabilities: log.store.capabilities }
  const settingsLog: SettingsLog = {
    until: async (prefix, at) =>
      [...log.streams]
        .filter(([stream]) => stream.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([, all]) => all.filter(({ event }) => event.at <= at)),
  }
  const schedules = createMemorySchedules({ tables, now })
  return {
    store,
    transact: createTransactCommands(commandStoreOf(store), eventIds),
    queues,
    tables,
    eventsOf,
    strangers: strangers as readonly MemoryMessage[],
    queue: createMemoryQueue({ queues, tables, now, keepStranger: message => void strangers.push(message) }),
    queries: away.unlessAway(createMemoryQueries({ tables, now, eventsOf })),
    pauses: away.unlessAway(createMemoryPauses({ tables, now })),
    schedules: { queries: away.unlessAway(schedules.queries), work: away.unlessAway(schedules.work) },
    settingsLog: away.unlessAway(settingsLog),
  }
}

export type Stores = ReturnType<typeof openStores>
