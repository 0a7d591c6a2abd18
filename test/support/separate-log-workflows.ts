import type pg from 'pg'
import { systemClock } from '../../src/application/ports/clock.ts'
import type { EventStore } from '../../src/application/ports/event-store.ts'
import { type Log, silentLog } from '../../src/application/ports/log.ts'
import { createWorkflows, type Workflows } from '../../src/compose/workflows.ts'
import type { BusEvent } from '../../src/domain/bus-event.ts'
import { busCodec } from '../../src/infrastructure/codec/workflow-codec.ts'
import { createPostgresEventStore } from '../../src/infrastructure/postgres/log/event-store.ts'
import { createQueueCatalog } from '../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { clientLike } from '../../src/infrastructure/postgres/transactions/pool.ts'
import { derivedId, uuidIds } from '../../src/infrastructure/shared/uuid-ids.ts'
import { busProjections } from '../../src/projections/bus-projections.ts'
import { quickly } from './runs.ts'

export interface SeparateLogOptions {
  /** Called before each append; an error that it throws is the log's answer. */
  readonly before?: (events: readonly BusEvent[]) => void | Promise<void>
  readonly log?: Log
  readonly isAway?: (error: unknown) => boolean
}

/** Workflows on a log that takes one stream at a time, as EventStoreDB does; rows and messages are those of PostgreSQL. */
export const createSeparateLogWorkflows = (
  pool: pg.Pool,
  { before = () => {}, log = silentLog, isAway = () => false }: SeparateLogOptions = {},
): Workflows => {
  const whole = createPostgresEventStore<BusEvent>({
    pool,
    codec: busCodec,
    projections: busProjections({ onSuccess: 'delete' }),
    ensureQueues: createQueueCatalog(pool).ensure,
    onFilled: () => {},
  })
  const store: EventStore<BusEvent> = {
    ...whole,
    capabilities: { ...whole.capabilities, atomicAppend: false },
    append: async (appends, options) => {
      await before(appends.flatMap(({ events }) => events.map(({ event }) => event)))
      return whole.append(appends, options)
    },
    appendAll: async () => {
      throw new Error('this log takes one stream at a time')
    },
  }
  return createWorkflows({
    laneRules: () => [],
    pool,
    newClient: () => clientLike(pool),
    store,
    clock: systemClock,
    ids: uuidIds,
    derivedId,
    log,
    isAway,
    options: { ...quickly, limits: { ...quickly.limits, sweepMs: 50, graceMs: 0 } },
  })
}
