import type { WorkItem } from '../../application/commands/work-message.ts'
import type { Log } from '../../application/ports/log.ts'
import { type Delivery, type DeliveryTag, messageKey } from '../../application/ports/queue.ts'
import { logEnd, logLoss, succeeded, waitMs } from './attempt/attempt-log.ts'
import type { Run, RunEvents } from './attempt/run.ts'
import { JobRun, type RunDeps } from './attempt/run-job.ts'
import { watchShortRuns } from './attempt/short-runs.ts'
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
  /** False while nothing may be begun; when it may, `pump` is called. */
  readonly mayBegin: () => boolean
  /** A handler has ended; its slot is free. */
  readonly onHandled: (run: Run, tookMs: number) => void
  /** More is wanted than before. */
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
  const shortRuns = watchShortRuns(handling)
  let isTelling = false

  /** A job that is in nobody's hands here any more. */
  const letGo = ({ delivery }: WorkItem, againMs: number | null = null): void => {
    room.give(delivery)
    own.letGo(delivery, againMs)
  }

  /** Another worker has the message now. */
  const lost = (tag: DeliveryTag): void => {
    const key = messageKey(tag)
    const place = buffer.findIndex(({ delivery }) => messageKey(delivery) === key)
    if (place >= 0) for (const job of buffer.splice(place, 1)) letGo(job)
    for (const run of unreported) {
      if (messageKey(run.job.delivery) === key) run.abort('another worker has this command now')
    }
  }

  const pump = (): void => {
    if (buffer.length === 0 || !deps.mayBegin()) return
    while (handling.size < concurrency && !deps.isStopping()) {
      const job = buffer.shift()
      if (job === undefined) return
      const run = new JobRun(deps.run, job, events)
      handling.add(run)
      unreported.add(run)
      shortRuns.added()
      run.begin()
    }
  }

  const settled = (run: Run, againMs: number | null = null): void => {
    unreported.delete(run)
    letGo(run.job, againMs)
    suspects.ended(run.job)
    tellFree()
  }

  const events: RunEvents = {
    handled: run => {
      const tookMs = performance.now() - run.began
      handling.delete(run)
      prefetch.observe(tookMs)
      deps.onHandled(run, tookMs)
      pump()
      tellFree()
    },
    ended: (run, outcome) => {
      settled(run, waitMs(outcome))
      if (succeeded(outcome)) return
      // a log that throws must not keep the outcomes of the same statement from their runs
      queueMicrotask(() => {
        if (logEnd(deps.log, run, outcome)) deps.onTriedAgain()
      })
    },
    lost: (run, error) => {
      settled(run)
      queueMicrotask(() => logLoss(deps.log, run, error))
    },
  }

  /** How many messages more to read. */
  const wanted = (): number => {
    if (unreported.size >= MAX_UNREPORTED) return 0
    const most = concurrency + prefetch.ahead()
    const held = handling.size + buffer.length
    // a read costs nearly the same for one message as for many: wait until it is worth it, unless a slot lies idle
    const isWorthIt = most - held >= Math.max(concurrency, Math.floor(most / 2))
    return held < concurrency || isWorthIt ? Math.min(most - held, MAX_READ, room.fitting()) : 0
  }

  /** Told once for all jobs that end in one turn of the event loop, so that one read is for all of them. */
  const tellFree = (): void => {
    if (isTelling) return
    isTelling = true
    setImmediate(() => {
      isTelling = false
      if (wanted() > 0) deps.onFree()
    })
  }

  return {
    handling: handling as ReadonlySet<Run>,
    unreported: unreported as ReadonlySet<Run>,
    buffered: (): readonly WorkItem[] => buffer,
    take: (job: WorkItem): void => {
      buffer.push(job)
      room.take(job.delivery)
      own.hold(job.delivery, lost)
    },
    /** Gives away what nobody has begun, all of it or what meets the condition. */
    takeBuffered: (is: (job: WorkItem) => boolean = () => true): readonly WorkItem[] => {
      const jobs = buffer.filter(is)
      if (jobs.length > 0) buffer.splice(0, buffer.length, ...buffer.filter(job => !jobs.includes(job)))
      for (const job of jobs) {
        letGo(job)
        suspects.ended(job)
      }
      return jobs
    },
    /** Begins what waits, as far as there are free slots. */
    pump,
    wanted,
    saw: (deliveries: readonly Delivery[]): void => room.saw(deliveries),
  }
}

export type Slots = ReturnType<typeof createSlots>
