import type { Client } from 'pg'
import type { TransactCommands } from '../../application/commands/transact-commands.ts'
import { type OpenDeps, openDeliveries } from '../../application/commands/work-message.ts'
import type { Clock } from '../../application/ports/clock.ts'
import type { EventStore } from '../../application/ports/event-store.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Delivery, Queue } from '../../application/ports/queue.ts'
import type { Telemetry } from '../../application/ports/telemetry.ts'
import { InvalidInputError } from '../../application/shared/errors.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { commandQueue, commandQueues } from '../../domain/command/names.ts'
import type { PauseWatch } from '../postgres/flow/pause-watch.ts'
import { type LocalBell, listenForDoorbell, listenHere } from '../postgres/queue/doorbell.ts'
import type { QueueStrangers } from '../postgres/strangers/queue-adoption.ts'
import type { Beats } from '../postgres/workers/beats.ts'
import { createWakeUp } from '../shared/wake-up.ts'
import { createAccept } from './accept.ts'
import { announcedOf } from './announcing/announced.ts'
import { createEnding } from './attempt/ending.ts'
import { createLongRunning } from './attempt/long-running.ts'
import { createReporter } from './attempt/reporter.ts'
import { nameOf, type Run } from './attempt/run.ts'
import { type HandlerConnections, poolSizeFor } from './client/connections.ts'
import { createHiding, type HidingDeps } from './failures/hiding.ts'
import { createFetcher } from './fetcher.ts'
import { createPausing } from './flow/pausing.ts'
import { createUnknownTypes } from './flow/unknown-types.ts'
import { createHealth } from './health.ts'
import { startHeartbeat } from './heartbeat.ts'
import { createOwnMessages } from './own-messages.ts'
import { createDomainQueues } from './queues/domain-queues.ts'
import { createRegistry } from './registry.ts'
import { settingsOf, stopDeadlineOf } from './settings.ts'
import { createSlots, type Slots } from './slots.ts'
import { watchStalls } from './stalls.ts'
import { createStrangerKeeper } from './strangers/stranger-keeper.ts'
import { createSuspects } from './suspects.ts'
import type { Worker, WorkerOptions } from './worker-api.ts'

export interface WorkerDeps extends Pick<OpenDeps, 'decode'> {
  readonly store: EventStore<CommandEvent>
  readonly transact: TransactCommands
  readonly queue: Queue
  /** On its own connection: neither busy handlers nor the worker's statements may delay heartbeats. */
  readonly heartbeatQueue: Queue
  /** For transactional handlers only. */
  readonly connections: HandlerConnections
  /** A connection to listen on; null: the pooler does not pass notifications on. */
  readonly newListener: () => Client | null
  readonly localBell: LocalBell
  readonly pauses: PauseWatch
  readonly beats: Pick<Beats, 'join' | 'beatNow'>
  readonly clock: Clock
  readonly ids: { readonly next: () => string }
  readonly log: Log
  readonly telemetry: Telemetry
  readonly isAway: (error: unknown) => boolean
  readonly strangers: QueueStrangers
  readonly sensitive: Pick<HidingDeps, 'known'>
}

/** One fetcher for all slots: reads in batches, hands out to slots, reports in batches. */
export const createWorker = (deps: WorkerDeps, options: WorkerOptions): Worker => {
  const settings = settingsOf(options)
  const { domain, concurrency, leaseMs, pollMs, mapError } = settings
  const workerId = `worker:${options.workerId ?? deps.ids.next()}`
  const queue = commandQueue(domain)
  const queues = createDomainQueues(deps.queue, domain)
  const heartbeatQueue = createDomainQueues(deps.heartbeatQueue, domain)
  const { log, connections } = deps

  const transactional = deps.store.capabilities.inlineProjections
  const { handle, handlerOf, types, anyTransactional } = createRegistry(
    { domain, transactional, poolSize: connections.max > 0 ? null : connections.poolSize },
    options.handlers,
  )
  const hiding = createHiding({ known: deps.sensitive.known, handlerOf, log })
  const bell = createWakeUp()
  const slotFree = createWakeUp()
  const reporter = createReporter(
    deps.transact,
    deps.isAway,
    deps.clock,
    log,
    !deps.store.capabilities.inlineProjections,
  )
  const suspects = createSuspects()
  const own = createOwnMessages({ queue: queues, name: queue, leaseMs, log })
  const unknownTypes = createUnknownTypes({
    queue: queues,
    name: queue,
    graceMs: settings.graceMs,
    knows: commandType => handlerOf(commandType) !== undefined,
    now: () => deps.clock.now().getTime(),
    random: () => deps.clock.random(),
    log,
  })
  let started = false
  let stopping = false
  const isStopping = (): boolean => stopping
  let loop: Promise<void> | null = null
  let stopped: Promise<void> | null = null
  let heartbeat: ReturnType<typeof startHeartbeat> | null = null
  let leaveBeats = (): void => {}

  const pausing = createPausing({
    watch: deps.pauses,
    domain,
    queue: queues,
    name: queue,
    log,
    take: is => slots.takeBuffered(is),
    onOpen: () => {
      slots.pump()
      slotFree.wake()
    },
  })
  const slots: Slots = createSlots({
    run: {
      handlerOf,
      reporter,
      transact: deps.transact,
      connections,
      clock: deps.clock,
      log,
      telemetry: deps.telemetry,
      isAway: deps.isAway,
      hiding,
      mapError,
      timeoutMs: settings.timeoutMs,
      isPaused: pausing.holdsAfterWait,
      extend: async (job, ms) => {
        await queues.extend(queue, [job.delivery], ms)
      },
    },
    concurrency,
    own,
    suspects,
    isStopping,
    mayBegin: pausing.mayBegin,
    onHandled: (run, tookMs) => stalls.ended(run, tookMs),
    onFree: slotFree.wake,
    // its wait may end before the next look at the queue
    onTriedAgain: bell.wake,
    log,
  })
  const { handling, unreported } = slots
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
  const health = createHealth({
    clock: deps.clock,
    pollMs,
    leaseMs,
    reporterFailingSince: reporter.failingSince,
    paused: pausing.state,
    heldUp: createLongRunning({ handling, concurrency, limitMs: settings.longRunningMs, clock: deps.clock }),
  })
  const openOurs = openDeliveries({ ...deps, queue: queues })
  const holder = { domain, workerId, build: settings.build, leaseMs, adopts: settings.adoptStrangers }
  const open = (deliveries: readonly Delivery[]) => openOurs(deliveries, holder)
  const strangers = createStrangerKeeper({
    queue: queues,
    name: queue,
    domain,
    log,
    telemetry: deps.telemetry,
    adopting: settings.adoptStrangers ? { adopt: found => deps.strangers.adopt(found, workerId), open, leaseMs } : null,
  })
  const fetchLoop = createFetcher({
    queue: queues,
    name: queue,
    leaseMs,
    pollMs,
    open,
    accept: createAccept({
      queue: queues,
      name: queue,
      strangers,
      reporter,
      suspects,
      pausing,
      unknownTypes,
      log,
      take: slots.take,
    }),
    own,
    slots,
    suspects,
    pausing,
    health,
    bell,
    slotFree,
    isStopping,
    log,
  })

  const ending = createEnding({
    queue: queues,
    name: queue,
    transact: deps.transact,
    clock: deps.clock,
    log,
    take: slots.takeBuffered,
    handling,
    unreported,
    halt: () => {
      stopping = true
      if (started) health.stopping()
      deps.beats.beatNow()
      bell.wake()
      slotFree.wake()
    },
    // leases are extended until running handlers have ended; messages that go back after that must not be extended
    stopBeating: async () => heartbeat?.stop(),
    stopReporting: reporter.giveUp,
    fetched: async () => loop,
    hiding,
    ended: () => {
      health.stopped()
      leaveBeats()
    },
  })

  return {
    workerId,
    handle,
    start: async () => {
      if (started) throw new InvalidInputError('worker', 'it was started already; create another one')
      started = true
      try {
        await queues.ensure(queue)
        if (settings.adoptStrangers) for (const name of commandQueues(domain)) await deps.strangers.share(name)
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
      const onBell = (named: readonly string[]): void => {
        named.forEach(queues.found)
        bell.wake()
      }
      const stopListeningHere = listenHere(deps.localBell, commandQueues(domain), onBell)
      const listener = listenForDoorbell(deps.newListener, commandQueues(domain), onBell, log)
      heartbeat = startHeartbeat({
        queue: heartbeatQueue,
        otherQueue: queues,
        name: queue,
        leaseMs,
        held: () => [...handling, ...[...unreported].filter(run => run.isWaiting())],
        buffered: slots.buffered,
        clock: deps.clock,
        log,
      })
      hiding.begin()
      stalls.start()
      health.watch({ doorbell: listener.connected, heartbeat: heartbeat.failingSince })
      leaveBeats = deps.beats.join(announcedOf({ workerId, settings, types, handling, isStopping }))
      const leave = deps.telemetry.working({ domain, workerId, slots: concurrency, busy: () => handling.size })
      loop = (async () => {
        await pausing.start()
        await fetchLoop()
      })().finally(async () => {
        leave()
        pausing.stop()
        stalls.stop()
        stopListeningHere()
        await listener.stop()
      })
    },
    stop: ({ deadlineMs } = {}) => {
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
