import { type Log, silentLog } from '../application/ports/log.ts'
import { silentTelemetry, type Telemetry } from '../application/ports/telemetry.ts'
import { parseReply, type Reply } from '../application/replies/reply.ts'
import { InvalidInputError } from '../application/shared/errors.ts'
import type { CommandBus } from '../command-bus.ts'
import type { CommandEvent } from '../domain/command/events.ts'
import { commandStream } from '../domain/command/names.ts'
import { terminalStatuses } from '../domain/command/transitions.ts'
import type { Json } from '../domain/json/json.ts'
import type { WorkerOptions } from '../infrastructure/worker/worker-api.ts'
import { createMemoryBus, type SharedOptions } from './compose/memory-bus.ts'
import { createExpect, type Expectations } from './expectations.ts'
import { createTestClock } from './memory/test-clock.ts'
import { createAway } from './running/away.ts'
import { createBell } from './running/bell.ts'
import { createPlan, type Incident } from './running/incidents.ts'

/** A span of time; the members add up. */
export interface Duration {
  readonly days?: number
  readonly hours?: number
  readonly minutes?: number
  readonly seconds?: number
  readonly milliseconds?: number
}

/** All optional. Without `handlers` commands wait until `worker` makes a worker for them. */
export interface TestBusOptions extends SharedOptions {
  /** When the test begins. Default: 2026-01-01T00:00:00.000Z. */
  readonly now?: Date | string
  /** Options of the workers that handle the commands of `handlers`. Default: one handler at a time for each domain. */
  readonly worker?: Omit<WorkerOptions, 'domain' | 'handlers' | 'workerId'>
  /** In [0, 1), for the jitter of retries. Default: always 0, which adds none. */
  readonly random?: () => number
  /** Default: no logging. */
  readonly log?: Log
  /** Default: none. */
  readonly telemetry?: Telemetry
}

/** How often something goes wrong. */
export interface InjectOptions {
  /** To how many attempts it happens. Default 1. */
  readonly times?: number
}

/** Makes something happen to the coming attempts of a command type (`*`: of any type). */
export type Inject = (commandType: string, options?: InjectOptions) => void

/** A message as it lies on a queue. */
export interface QueuedMessage {
  readonly msgId: string
  readonly body: Json
  /** How often it was read. */
  readonly reads: number
  /** Until then it is hidden: ISO 8601. */
  readonly visibleAt: string
}

/** A command bus in memory, which runs when the test says so. */
export interface TestBus extends CommandBus {
  /** The time of the bus. */
  readonly now: () => Date
  /** Handles all that is due now. A command that is tried again later waits for `advance`. */
  readonly runUntilIdle: () => Promise<void>
  /** Moves the clock, and runs what becomes due on the way, each at its time. */
  readonly advance: (by: Duration) => Promise<void>
  /**
   * Moves the clock as far as it takes until every command has ended or is parked, or nothing is due any more. Schedules, which
   * never end, are not waited for.
   */
  readonly runUntilSettled: () => Promise<void>
  readonly inject: {
    /** The worker dies after the handler has ended: the log learns nothing, and the command is tried again when its lease ends. */
    readonly crashBeforeReport: Inject
    /** The worker dies when the outcome is in the log. */
    readonly crashAfterReport: Inject
    /** While the handler runs, another worker receives a copy of its message. */
    readonly duplicateDelivery: Inject
    /** While the handler runs its lease ends, and another worker runs the command; the outcome of this attempt does not count. */
    readonly leaseLost: Inject
    /** The store cannot be reached until the function that it returns is called: calls fail, and outcomes wait. */
    readonly storeAway: () => () => void
    /** One incident for each of the next attempts, of any type; null: nothing happens to it. */
    readonly life: (incidents: readonly (Incident | null)[]) => void
  }
  /** Expectations about one command. */
  readonly expect: (commandId: string) => Expectations
  /** The events of a command, oldest first. */
  readonly eventsOf: (domain: string, commandId: string) => readonly CommandEvent[]
  /** The replies that lie on a queue, oldest first. */
  readonly repliesOn: (queue: string) => readonly Reply[]
  /** The messages that lie on a queue, oldest first, visible or not. */
  readonly messagesOn: (queue: string) => readonly QueuedMessage[]
}

const START = '2026-01-01T00:00:00.000Z'
/** So many steps through time are enough for any command. */
const MOST_STEPS = 10_000

/**
 * Makes a command bus in memory for tests of handlers and of services that send. It runs the use cases, the deciders and the worker
 * of the real one, and no PostgreSQL. Nothing happens by itself: see `runUntilIdle` and `advance`.
 * @throws InvalidInputError, NotInMemoryError for what only PostgreSQL can do
 * @example
 * const bus = testBus({ handlers: { payments: { ChargeCard: chargeCard } } })
 * const { commandId } = await bus.send('payments', 'ChargeCard', { amount: 5 })
 * await bus.runUntilIdle()
 * bus.expect(commandId).toBeCompleted({ charged: 5 })
 */
export const testBus = (options: TestBusOptions = {}): TestBus => {
  const clock = createTestClock(startOf(options.now), options.random)
  const bell = createBell()
  const away = createAway(bell.ring)
  const plan = createPlan()
  const log = options.log ?? silentLog
  const { bus, stores, engine } = createMemoryBus(options, {
    clock,
    away,
    bell,
    plan,
    log,
    telemetry: options.telemetry ?? silentTelemetry,
    worker: options.worker,
  })
  const { queues, tables, eventsOf } = stores
  const inject =
    (incident: Incident): Inject =>
    (commandType, { times = 1 } = {}) => {
      for (let i = 0; i < times; i++) plan.add(commandType, incident)
    }
  const isSettled = (): boolean =>
    [...tables.commands.values()].every(
      ({ status }) => terminalStatuses.includes(status) || status === 'IN_TROUBLESHOOTING_QUEUE',
    )

  return {
    ...bus,
    now: clock.now,
    runUntilIdle: engine.runUntilIdle,
    advance: async by => engine.advance(msOf(by)),
    runUntilSettled: async () => {
      await engine.runUntilIdle()
      for (let steps = 0; steps < MOST_STEPS && !isSettled(); steps++) if (!(await engine.step())) return
    },
    inject: {
      crashBeforeReport: inject('crashBeforeReport'),
      crashAfterReport: inject('crashAfterReport'),
      duplicateDelivery: inject('duplicateDelivery'),
      leaseLost: inject('leaseLost'),
      storeAway: () => {
        away.leave()
        return away.back
      },
      life: incidents => {
        for (const incident of incidents) plan.add('*', incident)
      },
    },
    expect: createExpect(stores),
    eventsOf: (domain, commandId) => eventsOf(commandStream({ domain, commandId })).map(({ event }) => event),
    repliesOn: queue =>
      queues.messages(queue).flatMap(({ text }) => {
        const reply = parseReply(JSON.parse(text))
        return reply === null ? [] : [reply]
      }),
    messagesOn: queue =>
      queues.messages(queue).map(({ msgId, text, reads, visibleAt }) => ({
        msgId,
        body: JSON.parse(text),
        reads,
        visibleAt: new Date(visibleAt).toISOString(),
      })),
  } as TestBus
}

const startOf = (given: Date | string = START): Date => {
  const start = new Date(given)
  if (Number.isNaN(start.getTime()))
    throw new InvalidInputError('now', 'must be a Date, or an instant such as 2026-01-01')
  return start
}

const UNITS: Readonly<Record<keyof Duration, number>> = {
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1_000,
  milliseconds: 1,
}

const msOf = (by: Duration): number => {
  const parts = Object.entries(by)
  const wrong = parts.find(([unit, count]) => !Object.hasOwn(UNITS, unit) || !(Number.isFinite(count) && count >= 0))
  if (wrong !== undefined || parts.length === 0)
    throw new InvalidInputError('by', `must be a span such as { minutes: 5 }, with ${Object.keys(UNITS).join(', ')}`)
  return Math.round(parts.reduce((sum, [unit, count]) => sum + UNITS[unit as keyof Duration] * count, 0))
}
