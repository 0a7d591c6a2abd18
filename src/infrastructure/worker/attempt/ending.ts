import type { TransactCommands } from '../../../application/commands/transact-commands.ts'
import { WORKER_CRASHED, type WorkItem } from '../../../application/commands/work-message.ts'
import type { Clock } from '../../../application/ports/clock.ts'
import type { Log } from '../../../application/ports/log.ts'
import type { Queue } from '../../../application/ports/queue.ts'
import { hidingAll } from '../../../application/sensitive/hide-values.ts'
import type { CommandError } from '../../../domain/command/events.ts'
import { endsWithin } from '../../shared/within.ts'
import { failure } from '../failures/failures.ts'
import { errorWithout, type Hiding } from '../failures/hiding.ts'
import { createGiveUp, type GivenUp } from './give-up.ts'
import { nameOf, type Run } from './run.ts'

export interface EndingDeps {
  readonly queue: Pick<Queue, 'handBack'>
  /** The queue's name. */
  readonly name: string
  readonly transact: TransactCommands
  readonly clock: Clock
  readonly log: Log
  /** Removes and returns the work items that have not begun. */
  readonly take: () => readonly WorkItem[]
  /** Attempts whose handler has not ended. */
  readonly handling: ReadonlySet<Run>
  /** Attempts whose outcome is not in the log. */
  readonly unreported: ReadonlySet<Run>
  /** From now on nothing is begun. */
  readonly halt: () => void
  readonly stopBeating: () => Promise<void>
  readonly stopReporting: () => void
  /** Ends with the fetcher. */
  readonly fetched: () => Promise<unknown>
  readonly hiding: Pick<Hiding, 'now'>
  readonly ended: () => void
}

/** Time after the deadline in which given-up attempts are recorded. */
export const SETTLE_MS = 2_000

const STOPPED: CommandError = {
  type: 'TRANSIENT',
  code: 'WORKER_STOPPED',
  message: 'The worker was stopped before its handler had ended',
}

/** How a worker stops or crashes. Both keep their deadline, even if the database does not answer. */
export const createEnding = (deps: EndingDeps) => {
  const { queue, name, log, unreported } = deps
  const giveUp = createGiveUp(deps)

  const handBackIdle = (): Promise<void> =>
    queue.handBack(
      name,
      deps.take().map(job => job.delivery),
      { uncount: true },
    )

  const settle = async (idle: Promise<void>): Promise<void> => {
    await deps.stopBeating()
    const left = [...unreported]
    for (const run of left) void run.abandon('the worker stops')
    deps.stopReporting()
    await giveUp(left.map(({ job }) => ({ job, error: STOPPED, counts: true })))
    await idle
    await deps.fetched()
    // messages read while the worker began to stop
    await handBackIdle()
  }

  const afterCrash = async (message: string): Promise<void> => {
    await deps.stopBeating()
    const running = [...deps.handling]
    // a receipt on its way must not come after what is recorded here
    await Promise.all(running.map(run => run.abandon('the process of this worker ends')))
    // the second time it ran without others: then it is to blame
    const blamed = running.some(({ job }) => job.suspect)
    await Promise.all([
      giveUp(running.map(({ job }) => crashOf(job, !blamed || !job.suspect, message))),
      handBackIdle(),
      // attempts whose handlers had ended before
      Promise.all([...unreported].filter(run => !running.includes(run)).map(run => run.finished())),
    ])
  }

  return {
    crash: async (error: unknown, withinMs: number): Promise<void> => {
      const running = [...deps.handling].map(({ job }) => nameOf(job))
      // any of them may have caused it
      const hide = hidingAll([...deps.handling].map(({ job }) => deps.hiding.now(job)))
      const shown = errorWithout(error, hide)
      // the logger omits stacks, and only the stack shows where this error comes from
      const stack = shown instanceof Error ? shown.stack : undefined
      log.error({ err: shown, stack, queue: name, running }, 'an uncaught error ends the process')
      deps.halt()
      const message = shown instanceof Error ? shown.message : hide(String(error))
      const inTime = await endsWithin(withinMs, () =>
        afterCrash(message).catch(failed => log.warn({ err: failed }, NOT_GIVEN)),
      )
      if (!inTime) log.warn({ queue: name }, LATE)
      deps.ended()
    },
    stop: async (deadlineMs: number): Promise<void> => {
      deps.halt()
      const idle = handBackIdle().catch(() => {})
      await endsWithin(deadlineMs, () => settledAll(unreported))
      const inTime = await endsWithin(SETTLE_MS, () => settle(idle).catch(error => log.warn({ err: error }, NOT_GIVEN)))
      if (!inTime) log.warn({ queue: name }, LATE)
      deps.ended()
    },
  }
}

const crashOf = (job: WorkItem, innocent: boolean, message: string): GivenUp => {
  const text = `Its worker process ended while it ran: ${message}`
  return innocent
    ? { job, error: failure('TRANSIENT', WORKER_CRASHED, `${text} (this attempt does not count)`), counts: false }
    : { job, error: failure('TRANSIENT', WORKER_CRASHED, text) }
}

const NOT_GIVEN = 'messages could not be given back; they come back after their lease'
const LATE = 'the database did not answer in time: what is left comes back after its lease'

/** Also waits for runs that are added meanwhile. */
const settledAll = async (runs: ReadonlySet<Run>): Promise<void> => {
  while (runs.size > 0) await Promise.all([...runs].map(run => run.finished()))
}
