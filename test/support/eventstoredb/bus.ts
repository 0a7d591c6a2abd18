import { EventEmitter } from 'node:events'
import type pg from 'pg'
import { afterEach } from 'vitest'
import { commandStoreOf } from '../../../src/application/commands/command-store.ts'
import { createCommandReader } from '../../../src/application/commands/read-commands.ts'
import { type CommandToSend, prepareSend, sendPrepared } from '../../../src/application/commands/send-command.ts'
import { createTransactCommands } from '../../../src/application/commands/transact-commands.ts'
import { systemClock } from '../../../src/application/ports/clock.ts'
import { silentLog } from '../../../src/application/ports/log.ts'
import { silentTelemetry } from '../../../src/application/ports/telemetry.ts'
import { commandCodec } from '../../../src/infrastructure/codec/command-codec.ts'
import { isAway } from '../../../src/infrastructure/eventstoredb/connection/errors.ts'
import { type EventStoreDbLogOptions, openEventStoreDbLog } from '../../../src/infrastructure/eventstoredb/index.ts'
import { isConnectionError } from '../../../src/infrastructure/postgres/connection/errors.ts'
import { createPauseWatch } from '../../../src/infrastructure/postgres/flow/pause-watch.ts'
import { createDoorbell } from '../../../src/infrastructure/postgres/queue/doorbell.ts'
import { createPgmqQueue } from '../../../src/infrastructure/postgres/queue/queue.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { createCommandQueries } from '../../../src/infrastructure/postgres/reading/command-queries.ts'
import { clientLike } from '../../../src/infrastructure/postgres/transactions/pool.ts'
import { uuidIds } from '../../../src/infrastructure/shared/uuid-ids.ts'
import { createHandlerConnections } from '../../../src/infrastructure/worker/client/connections.ts'
import { createWorker } from '../../../src/infrastructure/worker/worker.ts'
import type { WorkerOptions } from '../../../src/infrastructure/worker/worker-api.ts'
import { busProjections } from '../../../src/projections/bus-projections.ts'
import { createTestDatabase, type TestDatabase } from '../database.ts'
import { startTestDouble, type TestDouble, type TestDoubleOptions } from './server.ts'

const open: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

export const closeAfterTest = (close: () => Promise<void> | void): void => void open.push(close)

/** A test double and a fresh database, taken down after the test. */
export const openParts = async (
  options: TestDoubleOptions = {},
): Promise<{ double: TestDouble; database: TestDatabase }> => {
  const double = await startTestDouble(options)
  closeAfterTest(double.stop)
  const database = await createTestDatabase()
  closeAfterTest(() => database.drop())
  return { double, database }
}

/** The parts of a bus whose log is in EventStoreDB, as one process has them. */
export const openLogBus = (
  { double, database }: { readonly double: TestDouble; readonly database: TestDatabase },
  limits: EventStoreDbLogOptions['limits'] = {},
) => {
  const { pool } = database
  const localBell = new EventEmitter().setMaxListeners(0)
  const doorbell = createDoorbell(pool, localBell)
  const catalog = createQueueCatalog(pool)
  const {
    store: log,
    catchUp,
    begin,
    close,
  } = openEventStoreDbLog({
    url: double.url,
    pool,
    newClient: () => clientLike(pool),
    projections: busProjections({ onSuccess: 'delete' }),
    ensureQueues: catalog.ensure,
    onFilled: queues => doorbell.ring([...queues]),
    log: silentLog,
    limits: { timeoutMs: 1_000, retryMs: 10_000, probeMs: 50, standbyMs: 50, stallMs: 2_000, ...limits },
  })
  const store = commandStoreOf(log)
  const transact = createTransactCommands(store, uuidIds)
  const prepare = prepareSend({ clock: systemClock, ids: uuidIds, policies: new Map() })
  const sendAll = sendPrepared(transact)
  closeAfterTest(doorbell.stop)
  closeAfterTest(close)
  return {
    store,
    transact,
    catchUp,
    begin,
    close,
    reader: createCommandReader(createCommandQueries(pool)),
    send: async (domain: string, command: CommandToSend) => (await sendAll([prepare(domain, command)]))[0],
    work: async (options: WorkerOptions) => {
      const queue = createPgmqQueue(pool, catalog, undefined, false)
      const deps = {
        store,
        transact,
        queue,
        heartbeatQueue: queue,
        connections: createHandlerConnections(pool),
        newListener: () => clientLike(pool),
        localBell,
        pauses: createPauseWatch({
          lookPool: pool,
          pool,
          log: silentLog,
          onReleased: queues => doorbell.ring([...queues]),
        }),
        beats: { join: () => () => {}, beatNow: () => {} },
        clock: systemClock,
        ids: uuidIds,
        log: silentLog,
        isAway: (error: unknown) => isConnectionError(error) || isAway(error),
        telemetry: silentTelemetry,
        decode: commandCodec.decode,
        strangers: { adopt: async () => ({ adopted: 0, refused: new Map() }), share: async () => {} },
        sensitive: { known: async () => [] },
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
