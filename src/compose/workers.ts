import type { EventEmitter } from 'node:events'
import type { SensitivePaths } from '../application/sensitive/sensitive-paths.ts'
import type { Adopter } from '../application/strangers/adopter.ts'
import type { CommandBus } from '../command-bus.ts'
import { commandCodec } from '../infrastructure/codec/command-codec.ts'
import type { PauseWatch } from '../infrastructure/postgres/flow/pause-watch.ts'
import { createPgmqQueue } from '../infrastructure/postgres/queue/queue.ts'
import type { QueueCatalog } from '../infrastructure/postgres/queue/queue-catalog.ts'
import { createReadPositions } from '../infrastructure/postgres/queue/read-positions.ts'
import { createAdoption } from '../infrastructure/postgres/strangers/adoption.ts'
import { createQueueStrangers } from '../infrastructure/postgres/strangers/queue-adoption.ts'
import { listenerLike } from '../infrastructure/postgres/transactions/pool.ts'
import type { Beats } from '../infrastructure/postgres/workers/beats.ts'
import type { knownHandlers } from '../infrastructure/rehearsal/known-handlers.ts'
import type { Expiry } from '../infrastructure/runners/expiry.ts'
import { SETTLE_MS } from '../infrastructure/worker/attempt/ending.ts'
import { type Handler, sensitiveOf } from '../infrastructure/worker/attempt/handler.ts'
import { createHandlerConnections } from '../infrastructure/worker/client/connections.ts'
import { stopDeadlineOf } from '../infrastructure/worker/settings.ts'
import { createWorker, type WorkerDeps } from '../infrastructure/worker/worker.ts'
import type { Worker } from '../infrastructure/worker/worker-api.ts'
import type { Connections } from './connections.ts'
import type { Guarded } from './readiness.ts'

export interface WorkersDeps
  extends Pick<WorkerDeps, 'store' | 'transact' | 'clock' | 'ids' | 'log' | 'telemetry' | 'isAway'> {
  readonly connections: Connections
  readonly catalog: QueueCatalog
  readonly localBell: EventEmitter
  readonly pauses: PauseWatch
  readonly beats: Beats
  /** Receives the handlers of each worker, for rehearsals. */
  readonly handlers: Pick<ReturnType<typeof knownHandlers>, 'add'>
  readonly sensitive: Pick<SensitivePaths, 'declare' | 'known'>
  readonly guarded: Guarded
  readonly expiry: Pick<Expiry, 'join'>
  readonly adopter: Adopter
}

/** Makes the workers of one bus, and stops those that still run. */
export const createWorkers = ({
  connections,
  catalog,
  handlers,
  sensitive,
  guarded,
  expiry,
  adopter,
  ...deps
}: WorkersDeps) => {
  const { pool, workerPool, heartbeatPool } = connections
  const handlerConnections = createHandlerConnections(pool)
  const logIsHere = deps.store.capabilities.inlineProjections
  const strangers = createQueueStrangers(
    workerPool,
    createAdoption({ pool: workerPool, adopter, logIsHere, isAway: deps.isAway }),
  )
  const workers = new Set<Worker>()
  const make: CommandBus['worker'] = options => {
    const worker = createWorker(
      {
        ...deps,
        queue: createPgmqQueue(workerPool, catalog, createReadPositions(), logIsHere),
        decode: commandCodec.decode,
        heartbeatQueue: createPgmqQueue(heartbeatPool, catalog),
        connections: handlerConnections,
        strangers,
        newListener: () => listenerLike(pool),
        sensitive,
      },
      options,
    )
    workers.add(worker)
    handlers.add(options.domain, worker)
    let leave: (() => void) | null = null
    let isStopped = false
    let isStarted = false
    const registered = new Map(Object.entries(options.handlers ?? {}))
    const declare = (those: Iterable<readonly [string, Handler]>): Promise<void> =>
      sensitive.declare(sensitiveOf({ [options.domain]: Object.fromEntries(those) }))
    const handle: Worker['handle'] = (commandType, handler) => {
      worker.handle(commandType, handler)
      registered.set(commandType, handler)
      if (!isStarted) return
      declare([[commandType, handler]]).catch(error =>
        deps.log.warn({ err: error, domain: options.domain, commandType }, 'its sensitive members were not declared'),
      )
    }
    const start = async (): Promise<void> => {
      isStarted = true
      await declare(registered)
      await worker.start()
      if (!isStopped) leave = expiry.join()
    }
    const stop: Worker['stop'] = async (stopping = {}) => {
      const until = performance.now() + stopDeadlineOf(stopping.deadlineMs) + SETTLE_MS
      isStopped = true
      leave?.()
      await worker.stop(stopping).finally(() => workers.delete(worker))
      await deps.beats.left(until - performance.now())
    }
    return { ...worker, handle, start: guarded(start), stop }
  }
  return { make, stop: () => Promise.all([...workers].map(worker => worker.stop())) }
}
