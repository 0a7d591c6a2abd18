import type { WorkItem } from '../../application/commands/work-message.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Delivery } from '../../application/ports/queue.ts'
import { logEnd } from './attempt/attempt-log.ts'
import { type Run, type RunDeps, runJob } from './attempt/run-job.ts'
import type { createOwnMessages } from './own-messages.ts'
import { createPrefetch } from './prefetch.ts'
import { createRoom } from './room.ts'
import type { createSuspects } from './suspects.ts'

export interface SlotsDeps {
  readonly run: RunDeps
  readonly concurrency: number
  readonly own: ReturnType<typeof createOwnMessages>
  readonly suspects: ReturnType<typeof createSuspects>
  /** Nothing more is begun. */
  readonly isStopping: () => boolean
  /** A handler has ended; its slot is free. */
  readonly onHandled: (run: Run, tookMs: number) => void
  /** There may be room for more than before. */
  readonly onFree: () => void
  /** A command waits for its next attempt. */
  readonly onTriedAgain: () => void
  readonly log: Log
}

const MAX_READ = 200
/** Outcomes on their way to the log; past this nothing more is read. */
const MAX_UNREPORTED = 1000

/** The jobs in a worker's hands: those that wait for a slot, those whose handler runs, and those whose outcome is on its way. */
export const createSlots = (deps: SlotsDeps) => {
  const { concurrency, own, suspects } = deps
  const prefetch = createPrefetch(concurrency)
  const room = createRoom()
  const buffer: WorkItem[] = []
  const handling = new Set<Run>()
  const unreported = new Set<Run>()

  /** Jobs that are in nobody's hands here any more. */
  const letGo = (jobs: readonly WorkItem[]): readonly WorkItem[] => {
    for (const { delivery } of jobs) {
      room.give(delivery)
      own.letGo(delivery)
    }
    return jobs
  }

  const pump = (): void => {
    while (handling.size < concurrency && !deps.isStopping()) {
      const job = buffer.shift()
      if (job === undefined) return
      start(job)
    }
  }

  const start = (job: WorkItem): void => {
    const began = performance.now()
    const run = runJob(deps.run, job)
    handling.add(run)
    unreported.add(run)
    own.hold(job.delivery, () => run.abort('another worker has this command now'))
    void run.handled.then(() => {
      const tookMs = performance.now() - began
      handling.delete(run)
      prefetch.observe(tookMs)
      deps.onHandled(run, tookMs)
      pump()
      deps.onFree()
    })
    void logEnd(deps.log, run)
      .then(triedAgain => {
        if (triedAgain) deps.onTriedAgain()
      })
      .finally(() => {
        unreported.delete(run)
        letGo([job])
        suspects.ended(job)
        deps.onFree()
      })
  }

  /** How many messages more to read. */
  const wanted = (): number => {
    if (unreported.size >= MAX_UNREPORTED) return 0
    const slots = concurrency + prefetch.ahead() - handling.size - buffer.length
    // a read costs the same for one message as for many: wait until it is worth it, unless a slot lies idle
    return handling.size + buffer.length < concurrency || slots >= concurrency
      ? Math.min(slots, MAX_READ, room.fitting())
      : 0
  }

  return {
    handling: handling as ReadonlySet<Run>,
    unreported: unreported as ReadonlySet<Run>,
    buffered: (): readonly WorkItem[] => buffer,
    take: (job: WorkItem): void => {
      buffer.push(job)
      room.take(job.delivery)
      own.hold(job.delivery, () => letGo(buffer.splice(buffer.indexOf(job), 1)))
    },
    /** Gives away what nobody has begun. */
    takeBuffered: (): readonly WorkItem[] => letGo(buffer.splice(0)),
    /** Begins what waits, as far as there are free slots. */
    pump,
    wanted,
    saw: (deliveries: readonly Delivery[]): void => room.saw(deliveries),
  }
}

export type Slots = ReturnType<typeof createSlots>
