import type { Log } from '../../application/ports/log.ts'
import { commandQueues } from '../../domain/command/names.ts'
import type { Queues } from '../memory/queues.ts'
import type { TestClock } from '../memory/test-clock.ts'
import { type Away, isStoreAway } from './away.ts'
import type { Bell } from './bell.ts'
import type { MemoryWorker } from './worker.ts'

/** What goes on beside the workers, such as schedules. */
export interface Runner {
  /** Does what is due now. */
  readonly run: () => Promise<void>
  /** The instants after now at which something becomes due, in milliseconds since 1970. */
  readonly next: () => Promise<readonly number[]>
  /** It never comes to an end, so that nobody waits for it. */
  readonly isEndless?: true
}

export interface EngineDeps {
  readonly clock: TestClock
  readonly queues: Queues
  readonly away: Away
  readonly bell: Bell
  readonly runners: readonly Runner[]
  /** Called before anything runs. */
  readonly begin: () => Promise<unknown>
  readonly log: Log
}

/** After so many reads without an end there is probably none. */
const MOST_ROUNDS = 200_000
const LONG_MS = 1_000_000

/** Runs the workers and what is due, as far as a test says. */
export const createEngine = ({ clock, queues, away, bell, runners, begin, log }: EngineDeps) => {
  const workers = new Set<MemoryWorker>()
  let running: Promise<void> | null = null

  const roundOf = async ({ hands }: MemoryWorker): Promise<number> => {
    if (away.isAway()) return 0
    try {
      return await hands.round()
    } catch (error) {
      if (!isStoreAway(error)) throw error
      log.warn({ err: error, queue: hands.name }, 'the queue cannot be read; trying again')
      return 0
    }
  }

  const isBusy = (): boolean => [...workers].some(({ hands }) => hands.isBusy())

  const run = async (): Promise<void> => {
    await begin()
    // what a worker gives back, as it has read its own message once more, is there a moment later
    let quiet = 0
    for (let rounds = 0; ; rounds++) {
      if (rounds > MOST_ROUNDS) throw new Error('the bus does not become idle: does a handler send without end?')
      const changed = bell.changed()
      if (!away.isAway()) for (const runner of runners) await runner.run()
      let read = 0
      for (const worker of [...workers]) read += await roundOf(worker)
      // what was begun may end at once
      await new Promise(setImmediate)
      const isQuiet = read === 0 && !isBusy()
      quiet = isQuiet ? quiet + 1 : 0
      if (isQuiet && away.isBrief()) away.back()
      else if (quiet > 1) return
      if (read > 0 || quiet > 0) continue
      for (const { hands } of workers) hands.tookLong()
      // the deadline of a handler does not keep a process alive
      const alive = setInterval(() => {}, LONG_MS)
      await changed.finally(() => clearInterval(alive))
    }
  }

  const runUntilIdle = (): Promise<void> => {
    bell.ring()
    running ??= run().finally(() => {
      running = null
    })
    return running
  }

  /** As a heartbeat does, which does not stop while the clock is moved. */
  const moveTo = (ms: number): void => {
    clock.moveTo(ms)
    for (const { hands, leaseMs } of workers) {
      for (const delivery of hands.held()) {
        const message = queues.held(delivery)
        if (message !== undefined) message.visibleAt = Math.max(message.visibleAt, ms + leaseMs)
      }
    }
    bell.ring()
  }

  /** When something becomes due after now; null: nothing does by itself. */
  const nextDue = async (most = Number.POSITIVE_INFINITY, of = runners): Promise<number | null> => {
    const held = new Set(
      [...workers].flatMap(({ hands }) => hands.held().map(({ queue, msgId }) => `${queue} ${msgId}`)),
    )
    const names = new Set([...workers].flatMap(({ domain }) => commandQueues(domain)))
    const visible = [...names]
      .flatMap(queues.messages)
      .flatMap(({ queue, msgId, aside, visibleAt }) =>
        aside === null && !held.has(`${queue} ${msgId}`) ? [visibleAt] : [],
      )
    const others = (await Promise.all(of.map(runner => runner.next()))).flat()
    const due = [...visible, ...others].filter(ms => ms > clock.ms() && ms <= most)
    return due.length === 0 ? null : Math.min(...due)
  }

  return {
    workers,
    isRunning: (): boolean => running !== null,
    runUntilIdle,
    /** Moves the clock by so much, and runs all that becomes due on the way at its time. */
    advance: async (ms: number): Promise<void> => {
      const end = clock.ms() + ms
      await runUntilIdle()
      for (let due = await nextDue(end); due !== null; due = await nextDue(end)) {
        moveTo(due)
        await runUntilIdle()
      }
      moveTo(end)
      await runUntilIdle()
    },
    /** Moves the clock to the next instant at which something is due that may end, and runs that. False: nothing was. */
    step: async (): Promise<boolean> => {
      await runUntilIdle()
      const due = await nextDue(
        Number.POSITIVE_INFINITY,
        runners.filter(({ isEndless }) => isEndless !== true),
      )
      if (due === null) return false
      moveTo(due)
      await runUntilIdle()
      return true
    },
    moveTo,
    nextDue,
  }
}

export type Engine = ReturnType<typeof createEngine>
