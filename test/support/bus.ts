import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { afterEach } from 'vitest'
import {
  type CommandBus,
  type CommandBusOptions,
  createCommandBus,
  type Worker,
  type WorkerOptions,
} from '../../src/index.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

/** A bus on a fresh database, taken down after the test. */
export interface TestBus {
  readonly bus: CommandBus
  readonly database: TestDatabase
  readonly pool: pg.Pool
  /** Another bus on the same database, as another process would have. */
  readonly another: (options?: CommandBusOptions) => CommandBus
  /** A started worker of `bus`. */
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
  const another = (more: CommandBusOptions = {}): CommandBus => {
    const bus = createCommandBus({ databaseUrl: database.url, ...options, ...more })
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

/** Looks again and again until it holds; the test's own timeout ends a wait in vain. */
export const until = async <A>(look: () => Promise<A>, is: (seen: A) => boolean): Promise<A> => {
  for (;;) {
    const seen = await look()
    if (is(seen)) return seen
    await delay(5)
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
