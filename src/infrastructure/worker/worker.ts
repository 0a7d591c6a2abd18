import type { Client } from 'pg'
import type { TransactCommands } from '../../application/commands/transact-commands.ts'
import { type OpenedMessage, openDeliveries, type WorkItem } from '../../application/commands/work-message.ts'
import type { Clock } from '../../application/ports/clock.ts'
import type { EventStore } from '../../application/ports/event-store.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Delivery, Queue } from '../../application/ports/queue.ts'
import type { Telemetry } from '../../application/ports/telemetry.ts'
import { InvalidInputError } from '../../application/shared/errors.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { commandQueue } from '../../domain/command/names.ts'
import { listenForDoorbell } from '../postgres/queue/doorbell.ts'
import { retryTransient } from '../postgres/transactions/retry-transient.ts'
import { createBackOff } from '../shared/back-off.ts'
import { createWakeUp } from '../shared/wake-up.ts'
import { createAccept } from './accept.ts'
import { logEnd } from './attempt/attempt-log.ts'
import { type HandlerConnections, poolSizeFor } from './attempt/connections.ts'
import { createEnding } from './attempt/ending.ts'
import { createLongRunning } from './attempt/long-running.ts'
import { createReporter } from './attempt/reporter.ts'
import { nameOf, type Run, runJob } from './attempt/run-job.ts'
import { createHealth } from './health.ts'
import { startHeartbeat } from './heartbeat.ts'
import { createOwnMessages } from './own-messages.ts'
import { createPrefetch } from './prefetch.ts'
import { createRegistry } from './registry.ts'
import { createRoom } from './room.ts'
import { settingsOf, stopDeadlineOf } from './settings.ts'
import { watchStalls } from './stalls.ts'
import { createSuspects } from './suspects.ts'
import type { Worker, WorkerOptions } from './worker-api.ts'

export interface WorkerDeps {
  readonly store: EventStore<CommandEvent>
  readonly transact: TransactCommands
  readonly queue: Queue
  /** On its own connection: neither busy handlers nor the worker's statements may delay heartbeats. */
  readonly heartbeatQueue: Queue
  /** For transactional handlers only. */
  readonly connections: HandlerConnections
  /** A connection to listen on; null: the pooler does not pass notifications on. */
  readonly newListener: () => Client | null
  readonly localBell: {
    readonly on: (queue: string, wake: () => void) => unknown
    readonly off: (queue: string, wake: () => void) => unknown
  }
  readonly clock: Clock
  readonly ids: { readonly next: () => string }
  readonly log: Log
  readonly telemetry: Telemetry
  readonly isAway: (error: unknown) => boolean
}

const MAX_READ = 200
/** The shortest pause after a read without messages: others are about to read what is visible. */
const SOON_MS = 10
/** With this many outcomes on their way to the log, nothing more is read. */
const MAX_UNREPORTED = 1000

/** One fetcher reads in batches for all slots; outcomes are reported in batches. */
export const createWorker = (deps: WorkerDeps, options: WorkerOptions): Worker => {
  const settings = settingsOf(options)
  const { domain, concurrency, leaseMs, pollMs, mapError } = settings
  const workerId = `worker:${options.workerId ?? deps.ids.next()}`
  const queue = commandQueue(domain)
  const { log } = deps

  const transactional = deps.store.capabilities.inlineProjections
  const { connections } = deps
  const { handle, handlerOf, anyTransactional } = createRegistry(
    { domain, transactional, poolSize: connections.max > 0 ? null : connections.poolSize },
    options.handlers,
  )
  const bell = createWakeUp()
  const slotFree = createWakeUp()
  const prefetch = createPrefetch(concurrency)
  const room = createRoom()
  const reporter = createReporter(
    deps.transact,
    deps.isAway,
    deps.clock,
    log,
    !deps.store.capabilities.inlineProjections,
  )
  const open = openDeliveries({ store: deps.store, queue: deps.queue, clock: deps.clock })
  const buffer: WorkItem[] = []
  const handling = new Set<Run>()
  const unreported = new Set<Run>()
  const suspects = createSuspects()
  const own = createOwnMessages({ queue: deps.queue, name: queue, leaseMs, log })
  const stalls = watchStalls<Run>({
    running: () => [...handling],
    onStall: (ms, suspected) => {
      // leases may have run out meanwhile
      heartbeat?.beatNow()
      const running = suspected.map(run => nameOf(run.job))
      log.warn(
        { queue, ms, running },
        'the event loop was blocked: meanwhile nothing was fetched or reported and no lease was extended; run long computations in a worker thread',
      )
    },
  })
  const accept = createAccept({
    queue: deps.queue,
    name: queue,
    reporter,
    suspects,
    log,
    take: job => {
      buffer.push(job)
      room.take(job.delivery)
      own.hold(job.delivery, () => letGo(buffer.splice(buffer.indexOf(job), 1)))
    },
  })
  let started = false
  let stopping = false
  let loop: Promise<void> | null = null
  let stopped: Promise<void> | null = null
  let heartbeat: ReturnType<typeof startHeartbeat> | null = null

  const extend = async (job: WorkItem, ms: number): Promise<void> => {
    await deps.queue.extend(queue, [job.delivery], ms)
  }
  const runDeps = {
    handlerOf,
    reporter,
    transact: deps.transact,
    connections,
    clock: deps.clock,
    log,
    telemetry: deps.telemetry,
    isAway: deps.isAway,
    mapError,
    timeoutMs: settings.timeoutMs,
    extend,
  }

  /** Releases work items that this worker no longer holds. */
  const letGo = (jobs: readonly WorkItem[]): readonly WorkItem[] => {
    for (const { delivery } of jobs) {
      room.give(delivery)
      own.letGo(delivery)
    }
    return jobs
  }

  const pump = (): void => {
    while (handling.size < concurrency && !stopping) {
      const job = buffer.shift()
      if (job === undefined) return
      start(job)
    }
  }

  const start = (job: WorkItem): void => {
    const began = performance.now()
    const run = runJob(runDeps, job)
    handling.add(run)
    unreported.add(run)
    own.hold(job.delivery, () => run.abort('another worker has this command now'))
    void run.handled.then(() => {
      const tookMs = performance.now() - began
      handling.delete(run)
      prefetch.observe(tookMs)
      stalls.ended(run, tookMs)
      pump()
      slotFree.wake()
    })
    void logEnd(log, run)
      .then(triedAgain => {
        // its back-off may end before the next poll
        if (triedAgain) bell.wake()
      })
      .finally(() => {
        unreported.delete(run)
        letGo([job])
        suspects.ended(job)
        slotFree.wake()
      })
  }

  const wanted = (): number => {
    if (unreported.size >= MAX_UNREPORTED) return 0
    const slots = concurrency + prefetch.ahead() - handling.size - buffer.length
    // a read costs the same for one message as for many: wait for a full batch, unless a slot is idle
    return handling.size + buffer.length < concurrency || slots >= concurrency
      ? Math.min(slots, MAX_READ, room.fitting())
      : 0
  }

  const health = createHealth({
    clock: deps.clock,
    pollMs,
    leaseMs,
    reporterFailingSince: reporter.failingSince,
    heldUp: createLongRunning({ handling, concurrency, limitMs: settings.longRunningMs, clock: deps.clock }),
  })

  /** While the log cannot be read, messages go back uncounted. */
  const openOrHandBack = async (deliveries: readonly Delivery[]): Promise<readonly OpenedMessage[]> => {
    try {
      return await open(deliveries, { domain, workerId, leaseMs })
    } catch (error) {
      await retryTransient(() => deps.queue.handBack(queue, deliveries, { uncount: true })).catch(() => {})
      throw error
    }
  }

  const fetchLoop = async (): Promise<void> => {
    const backOff = createBackOff()
    while (!stopping) {
      let read = 0
      health.round()
      try {
        const pause = suspects.waitMs()
        const quantity = pause > 0 ? 0 : Math.min(wanted(), suspects.atMost())
        if (quantity <= 0) {
          await slotFree.wait(pause > 0 ? pause : pollMs)
          continue
        }
        const deliveries = await own.others(await deps.queue.read(queue, quantity, leaseMs))
        room.saw(deliveries)
        read = deliveries.length
        const opened = read > 0 ? await openOrHandBack(deliveries) : []
        // by then work items have been taken, whatever happens to the other messages
        if (read > 0) await accept(opened).finally(pump)
        const next = read > 0 || stopping ? null : await deps.queue.nextVisibleIn(queue)
        health.fetched(read)
        backOff.reset()
        if (read === 0 && !stopping) {
          await bell.wait(Math.min(pollMs, next === null ? pollMs : Math.max(SOON_MS, Math.ceil(next) + 1)))
        }
      } catch (error) {
        health.failed(read > 0)
        log.warn({ err: error, queue }, 'the queue cannot be read; trying again')
        await deps.queue.ensure(queue).catch(() => {})
        await bell.wait(backOff.next())
      }
    }
  }

  const ending = createEnding({
    queue: deps.queue,
    name: queue,
    transact: deps.transact,
    clock: deps.clock,
    log,
    take: () => letGo(buffer.splice(0)),
    handling,
    unreported,
    halt: () => {
      stopping = true
      if (started) health.stopping()
      bell.wake()
      slotFree.wake()
    },
    // leases are extended until running handlers have ended; messages that go back after that must not be extended
    stopBeating: async () => heartbeat?.stop(),
    stopReporting: reporter.giveUp,
    fetched: async () => loop,
    ended: health.stopped,
  })

  return {
    workerId,
    handle,
    start: async () => {
      if (started) throw new InvalidInputError('worker', 'it was started already; create another one')
      started = true
      try {
        await deps.queue.ensure(queue)
      } catch (error) {
        started = false
        throw error
      }
      if (stopping) return
      if (anyTransactional() && concurrency > connections.max) {
        const said =
          `${connections.max} of the ${concurrency} handlers can be transactional at once: for all of them, ` +
          `raise maxConnections from ${connections.poolSize} to ${poolSizeFor(concurrency)}`
        // info: the user did not ask for the default
        log[options.concurrency === undefined ? 'info' : 'warn']({ domain }, said)
      }
      const listener = listenForDoorbell(deps.newListener, queue, bell.wake, log)
      deps.localBell.on(queue, bell.wake)
      heartbeat = startHeartbeat({
        queue: deps.heartbeatQueue,
        otherQueue: deps.queue,
        name: queue,
        leaseMs,
        held: () => [...handling, ...[...unreported].filter(run => run.isWaiting())],
        buffered: () => buffer,
        clock: deps.clock,
        log,
      })
      stalls.start()
      health.watch({ doorbell: listener.connected, heartbeat: heartbeat.failingSince })
      const leave = deps.telemetry.working({ domain, workerId, slots: concurrency, busy: () => handling.size })
      loop = fetchLoop().finally(async () => {
        leave()
        stalls.stop()
        deps.localBell.off(queue, bell.wake)
        await listener.stop()
      })
    },
    stop: ({ deadlineMs = 30_000 } = {}) => {
      stopped ??= ending.stop(stopDeadlineOf(deadlineMs))
      return stopped
    },
    crashed: (error, { withinMs = 2_000 } = {}) => {
      stopped ??= ending.crash(error, withinMs)
      return stopped
    },
    health: () => health.report(),
    handlerOf,
    mapError,
  }
}
