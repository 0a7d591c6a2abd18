import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { afterEach, inject } from 'vitest'
import {
  type CommandBus,
  type CommandBusOptions,
  createCommandBus,
  type Worker,
  type WorkerOptions,
} from '../../src/index.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import type { TestDouble } from './eventstoredb/server.ts'

/** Where this run has its log. */
export const logStore = inject('logStore')

/** For tests of what only one transaction for log, rows and queue can do: `test.skipIf(logIsSeparate)`. */
export const logIsSeparate = logStore === 'eventstoredb'

/** A bus on a fresh database, taken down after the test. */
export interface TestBus {
  readonly bus: CommandBus
  readonly database: TestDatabase
  readonly pool: pg.Pool
  /** What other processes need besides the database, to use the same log as this bus. */
  readonly log: Pick<CommandBusOptions, 'eventStoreUrl' | 'waitForDispatchMs' | 'eventStoreLimits'>
  /** The test double for EventStoreDB; null where the log is in PostgreSQL. */
  readonly double: TestDouble | null
  /** Makes another bus on the same database, as another process would have it. */
  readonly another: (options?: CommandBusOptions) => CommandBus
  /** Starts a worker of `bus`. */
  readonly work: (options: WorkerOptions, bus?: CommandBus) => Promise<Worker>
  /** The command once `is` holds. */
  readonly until: <A>(look: () => Promise<A>, is: (seen: A) => boolean) => Promise<A>
  /** Messages that are on a queue now, oldest first, visible or not. */
  readonly messages: (queue: string) => Promise<readonly QueueMessage[]>
  readonly archived: (queue: string) => Promise<readonly QueueMessage[]>
}

export interface QueueMessage {
  readonly msg_id: string
  readonly read_ct: number
  readonly enqueued_at: Date
  readonly vt: Date
  readonly message: Record<string, unknown>
}

const open: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

export const createTestBus = async (
  options: Omit<CommandBusOptions, 'databaseUrl' | 'pool'> = {},
): Promise<TestBus> => {
  const database = await createTestDatabase()
  open.push(() => database.drop())
  const double = logIsSeparate ? await startDouble() : null
  const log =
    double === null
      ? {}
      : {
          eventStoreUrl: double.url,
          waitForDispatchMs: 60_000,
          eventStoreLimits: { probeMs: 100, standbyMs: 100, timeoutMs: 2_000 },
        }
  const another = (more: CommandBusOptions = {}): CommandBus => {
    const bus = createCommandBus({ databaseUrl: database.url, ...log, ...options, ...more })
    open.push(() => bus.close())
    return bus
  }
  const bus = another()
  const table = (name: string) => async (queue: string) => {
    const found = await database.pool.query('select 1 from pgmq.list_queues() where queue_name = $1', [queue])
    if (found.rowCount === 0) return []
    return (await database.pool.query(`select * from pgmq.${name}_${queue} order by msg_id`)).rows as QueueMessage[]
  }
  return {
    bus,
    database,
    pool: database.pool,
    log,
    double,
    another,
    work: async (workerOptions, of = bus) => {
      const worker = of.worker({ pollMs: 100, ...workerOptions })
      open.push(() => worker.stop({ deadlineMs: 0 }))
      await worker.start()
      return worker
    },
    until,
    messages: table('q'),
    archived: table('a'),
  }
}

/** Loaded only where it is used: the client of EventStoreDB is large. */
const startDouble = async (): Promise<TestDouble> => {
  const { startTestDouble } = await import('./eventstoredb/server.ts')
  const double = await startTestDouble({ maxAppendBytes: 4 * 1024 * 1024 })
  open.push(async () => double.stop())
  return double
}

/** Calls `look` again and again until `is` holds for its result, less often the longer it takes; the test's timeout ends the wait. */
export const until = async <A>(look: () => Promise<A>, is: (seen: A) => boolean): Promise<A> => {
  const begun = performance.now()
  for (;;) {
    const seen = await look()
    if (is(seen)) return seen
    await delay(Math.min(25, 5 + (performance.now() - begun) / 20))
  }
}

/** A promise to resolve from elsewhere. */
export const signal = <A = void>() => {
  let resolve: (value: A) => void = () => {}
  const promise = new Promise<A>(r => {
    resolve = r
  })
  return { promise, resolve }
}
