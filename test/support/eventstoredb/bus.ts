import { EventEmitter } from 'node:events'
import type pg from 'pg'
import { afterEach } from 'vitest'
import { systemClock } from '../../../src/application/ports/clock.ts'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createCommandReader } from '../../../src/application/read-commands.ts'
import { type CommandToSend, prepareSend, sendPrepared } from '../../../src/application/send-command.ts'
import { createTransactCommands } from '../../../src/application/transact-commands.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { commandCodec } from '../../../src/infrastructure/codec/command-codec.ts'
import { type CatchUpOptions, createCatchUp } from '../../../src/infrastructure/eventstoredb/catch-up.ts'
import { connectEventStoreDb } from '../../../src/infrastructure/eventstoredb/connection.ts'
import { isAway } from '../../../src/infrastructure/eventstoredb/errors.ts'
import { createEventStoreDbEventStore } from '../../../src/infrastructure/eventstoredb/event-store.ts'
import { createDoorbell } from '../../../src/infrastructure/pgmq/doorbell.ts'
import { createPgmqQueue, createQueueCatalog } from '../../../src/infrastructure/pgmq/queue.ts'
import { createCommandQueries } from '../../../src/infrastructure/postgres/command-queries.ts'
import { isConnectionError } from '../../../src/infrastructure/postgres/errors.ts'
import { clientLike } from '../../../src/infrastructure/postgres/pool.ts'
import { uuidIds } from '../../../src/infrastructure/uuid-ids.ts'
import { createWorker, type WorkerOptions } from '../../../src/infrastructure/worker/worker.ts'
import { commandRowChange } from '../../../src/projections/command-row.ts'
import { outbox } from '../../../src/projections/outbox.ts'
import { createTestDatabase, type TestDatabase } from '../database.ts'
import { startTestDouble, type TestDouble } from './server.ts'

const open: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

export const closeAfterTest = (close: () => Promise<void> | void): void => void open.push(close)

/** A test double and a fresh database, taken down after the test. */
export const openParts = async (): Promise<{ double: TestDouble; database: TestDatabase }> => {
  const double = await startTestDouble()
  closeAfterTest(double.stop)
  const database = await createTestDatabase()
  closeAfterTest(() => database.drop())
  return { double, database }
}

export const projections = { row: commandRowChange, effects: outbox({ onSuccess: 'delete' }) }

/** The parts of a bus whose log is in EventStoreDB, as one process has them. */
export const openLogBus = (
  { double, database }: { readonly double: TestDouble; readonly database: TestDatabase },
  more: Partial<CatchUpOptions<CommandEvent>> = {},
) => {
  const { pool } = database
  const connection = connectEventStoreDb(double.url)
  const localBell = new EventEmitter().setMaxListeners(0)
  const doorbell = createDoorbell(pool, localBell)
  const catalog = createQueueCatalog(pool)
  const times = { timeoutMs: more.timeoutMs ?? 1_000, retryMs: more.retryMs ?? 10_000 }
  const store = createEventStoreDbEventStore<CommandEvent>({ connection, codec: commandCodec, ...times })
  const transact = createTransactCommands(store, uuidIds)
  const catchUp = createCatchUp<CommandEvent>({
    connection,
    codec: commandCodec,
    prefixes: ['command-'],
    projection: 'commands',
    projections,
    ensureQueues: catalog.ensure,
    onFilled: queues => doorbell.ring([...queues]),
    pool,
    newClient: () => clientLike(pool),
    log: silentLog,
    probeMs: 50,
    standbyMs: 50,
    stallMs: 2_000,
    ...times,
    ...more,
  })
  const prepare = prepareSend({ clock: systemClock, ids: uuidIds, policies: new Map() })
  const sendAll = sendPrepared(transact)
  const close = async (): Promise<void> => {
    await catchUp.stop()
    await doorbell.stop()
    await connection.close()
  }
  closeAfterTest(close)
  return {
    store,
    transact,
    catchUp,
    close,
    reader: createCommandReader(createCommandQueries(pool)),
    send: async (domain: string, command: CommandToSend) => (await sendAll([prepare(domain, command)]))[0],
    work: async (options: WorkerOptions) => {
      const queue = createPgmqQueue(pool, catalog)
      const deps = {
        store,
        transact,
        queue,
        heartbeatQueue: queue,
        pool,
        newClient: () => clientLike(pool),
        localBell,
        clock: systemClock,
        ids: uuidIds,
        log: silentLog,
        isAway: (error: unknown) => isConnectionError(error) || isAway(error),
      }
      const worker = createWorker(deps, { pollMs: 100, ...options })
      closeAfterTest(() => worker.stop({ deadlineMs: 0 }))
      await worker.start()
      return worker
    },
  }
}

export const rowsOf = async (pool: pg.Pool, sql: string): Promise<readonly Record<string, unknown>[]> =>
  (await pool.query(sql)).rows
