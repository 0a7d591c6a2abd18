import type { TransactCommands } from '../../application/commands/transact-commands.ts'
import { type CommandTurn, openDeliveries, type WorkItem } from '../../application/commands/work-message.ts'
import type { Clock } from '../../application/ports/clock.ts'
import type { EventStore } from '../../application/ports/event-store.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Delivery } from '../../application/ports/queue.ts'
import type { Telemetry } from '../../application/ports/telemetry.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { commandQueue } from '../../domain/command/names.ts'
import { commandCodec } from '../../infrastructure/codec/command-codec.ts'
import { createAccept } from '../../infrastructure/worker/accept.ts'
import { logEnd, logLoss, succeeded, waitMs } from '../../infrastructure/worker/attempt/attempt-log.ts'
import type { AnyHandler } from '../../infrastructure/worker/attempt/handler.ts'
import { createReporter, type Reporter } from '../../infrastructure/worker/attempt/reporter.ts'
import { nameOf, type Run, type RunEvents } from '../../infrastructure/worker/attempt/run.ts'
import { JobRun } from '../../infrastructure/worker/attempt/run-job.ts'
import { createHiding, type HidingDeps } from '../../infrastructure/worker/failures/hiding.ts'
import { createPausing } from '../../infrastructure/worker/flow/pausing.ts'
import { createUnknownTypes } from '../../infrastructure/worker/flow/unknown-types.ts'
import { createOwnMessages } from '../../infrastructure/worker/own-messages.ts'
import { createDomainQueues } from '../../infrastructure/worker/queues/domain-queues.ts'
import type { settingsOf } from '../../infrastructure/worker/settings.ts'
import { createStrangerKeeper } from '../../infrastructure/worker/strangers/stranger-keeper.ts'
import { createSuspects } from '../../infrastructure/worker/suspects.ts'
import type { MemoryQueue } from '../memory/queue-port.ts'
import type { Queues } from '../memory/queues.ts'
import { type Away, isStoreAway } from './away.ts'
import type { Bell } from './bell.ts'
import type { Incident, Plan } from './incidents.ts'
import type { Watch } from './pauses.ts'

export interface HandsDeps {
  readonly store: EventStore<CommandEvent>
  readonly transact: TransactCommands
  readonly queue: MemoryQueue
  readonly queues: Queues
  readonly clock: Clock
  readonly log: Log
  readonly telemetry: Telemetry
  readonly away: Away
  readonly plan: Plan
  readonly watch: Watch
  readonly bell: Bell
  /** The members that errors do not name. */
  readonly sensitive: HidingDeps['known']
}

export interface HandsOptions {
  readonly settings: ReturnType<typeof settingsOf>
  readonly workerId: string
  readonly handlerOf: (commandType: string) => AnyHandler | undefined
}

/** A worker as another one sees it. */
interface Other {
  readonly isBusy: () => boolean
  readonly tookLong: () => void
  readonly held: () => readonly Delivery[]
}

/** For reads of a domain's queues: each looks whether there are more of them. */
const everLater = (): (() => number) => {
  let ms = 0
  return () => {
    ms += 60_000
    return ms
  }
}

const noConnections = {
  max: 0,
  poolSize: 0,
  connect: () => Promise.reject(new Error('a bus in memory has no connections')),
}

/**
 * What a worker does with messages: the parts of the real worker, without its loops and timers. `round` reads once and begins
 * what was read.
 */
export const createHands = (deps: HandsDeps, { settings, workerId, handlerOf }: HandsOptions) => {
  const { clock, log, away, bell } = deps
  const { domain, leaseMs } = settings
  const name = commandQueue(domain)
  const queues = createDomainQueues(away.unlessAway(deps.queue.queue), domain, everLater())
  const suspects = createSuspects(() => clock.now().getTime())
  const own = createOwnMessages({ queue: queues, name, leaseMs, log })
  const hiding = createHiding({ known: deps.sensitive, handlerOf, log })
  const handling = new Set<Run>()
  const unreported = new Set<Run>()
  const planned = new Map<unknown, Incident>()
  const others = new Set<Other>()
  let reports = 0

  const real = createReporter(deps.transact, isStoreAway, clock, log, false, away.wait)
  const reporter: Reporter = {
    ...real,
    report: turn => {
      reports++
      return real.report(turn).finally(() => {
        reports--
        bell.ring()
      })
    },
    reportTo: (turn, reader) => {
      const incident = planned.get(reader)
      planned.delete(reader)
      if (incident === undefined || !(reader instanceof JobRun)) real.reportTo(turn, reader)
      else void happen(incident, turn, reader)
    },
  }

  const happen = async (incident: Incident, turn: CommandTurn, run: JobRun): Promise<void> => {
    switch (incident) {
      case 'crashBeforeReport':
        settled(run)
        return
      case 'crashAfterReport':
        await reporter
          .report(turn)
          .catch(error =>
            log.error({ err: error, ...nameOf(run.job) }, 'no outcome was recorded; the message comes back'),
          )
        settled(run)
        return
      case 'leaseLost': {
        const message = deps.queues.held(run.job.delivery)
        if (message !== undefined) await another([deps.queue.take(message, leaseMs)])
        break
      }
      case 'storeAway':
        away.leave(true)
        break
      case 'duplicateDelivery':
        break
    }
    real.reportTo(turn, run)
  }

  /** Another worker gets these messages, and has done with them when this resolves. */
  const another = async (deliveries: readonly Delivery[]): Promise<void> => {
    const hands = createHands(deps, { settings, workerId: `${workerId}-other`, handlerOf })
    others.add(hands)
    try {
      await hands.deliver(deliveries)
      while (hands.isBusy()) await bell.changed()
    } catch (error) {
      log.warn(
        { err: error, queue: name },
        'another worker cannot handle its messages; they come back after their lease',
      )
    } finally {
      others.delete(hands)
      bell.ring()
    }
  }

  const pausing = createPausing({
    watch: deps.watch,
    domain,
    queue: queues,
    name,
    log,
    take: () => [],
    onOpen: bell.ring,
  })
  const runDeps = {
    handlerOf,
    reporter,
    transact: deps.transact,
    connections: noConnections,
    clock,
    log,
    telemetry: deps.telemetry,
    hiding,
    isAway: isStoreAway,
    mapError: settings.mapError,
    timeoutMs: settings.timeoutMs,
    isPaused: pausing.holdsAfterWait,
    extend: async (job: WorkItem, ms: number) => void (await queues.extend(name, [job.delivery], ms)),
  }

  const settled = (run: Run, againMs: number | null = null): void => {
    handling.delete(run)
    unreported.delete(run)
    own.letGo(run.job.delivery, againMs)
    suspects.ended(run.job)
    bell.ring()
  }

  const events: RunEvents = {
    handled: run => {
      handling.delete(run)
      bell.ring()
    },
    ended: (run, outcome) => {
      settled(run, waitMs(outcome))
      if (!succeeded(outcome)) logEnd(log, run, outcome)
    },
    lost: (run, error) => {
      settled(run)
      logLoss(log, run, error)
    },
  }

  const begin = (job: WorkItem): void => {
    const incident = deps.plan.take(job.command.sent.commandType)
    const run = new JobRun(runDeps, job, events)
    own.hold(job.delivery, () => run.abort('another worker has this command now'))
    if (incident !== null) planned.set(run, incident)
    handling.add(run)
    unreported.add(run)
    run.begin()
    if (incident !== 'duplicateDelivery') return
    const { queue, msgId } = job.delivery
    const text = deps.queues.find(queue, msgId)?.text
    const copy = text === undefined ? undefined : deps.queues.find(queue, deps.queues.send(queue, JSON.parse(text)))
    if (copy !== undefined) void another([deps.queue.take(copy, leaseMs)])
  }

  const open = openDeliveries({ store: deps.store, queue: queues, clock, decode: commandCodec.decode })
  const accept = createAccept({
    queue: queues,
    name,
    strangers: createStrangerKeeper({ queue: queues, name, domain, log, telemetry: deps.telemetry, adopting: null }),
    reporter,
    suspects,
    pausing,
    unknownTypes: createUnknownTypes({
      queue: queues,
      name,
      graceMs: settings.graceMs,
      knows: commandType => handlerOf(commandType) !== undefined,
      now: () => clock.now().getTime(),
      random: clock.random,
      log,
    }),
    log,
    take: begin,
  })

  const deliver = async (deliveries: readonly Delivery[]): Promise<void> => {
    await accept(await open(deliveries, { domain, workerId, build: settings.build, leaseMs }))
  }

  const isUnsettled = (run: Run): boolean => handling.has(run) || !away.isAway() || !run.isWaiting()

  return {
    name,
    queues,
    pausing,
    hiding,
    reporter,
    handling: handling as ReadonlySet<Run>,
    unreported: unreported as ReadonlySet<Run>,
    deliver,
    /** How many messages it has read. */
    round: async (): Promise<number> => {
      await deps.watch.lookNow()
      const free = settings.concurrency - handling.size
      const quantity = pausing.state().all || suspects.waitMs() > 0 ? 0 : Math.min(free, suspects.atMost())
      if (quantity <= 0) return 0
      const read = await own.others(await queues.read(name, quantity, leaseMs))
      if (read.length > 0) await deliver(read)
      return read.length
    },
    /** Whether anything goes on by itself. */
    isBusy: (): boolean =>
      [...unreported].some(isUnsettled) || (reports > 0 && !away.isAway()) || [...others].some(one => one.isBusy()),
    /** Handlers that did not end at once are shown as running. */
    tookLong: (): void => {
      for (const run of handling) if (run.isShort()) run.tookLong()
      for (const one of others) one.tookLong()
    },
    /** The messages whose leases are extended, as by a heartbeat. */
    held: (): readonly Delivery[] => [
      ...[...unreported].map(({ job }) => job.delivery),
      ...[...others].flatMap(one => one.held()),
    ],
  }
}
