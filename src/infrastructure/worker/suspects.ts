import type { OpenedMessage, WorkItem } from '../../application/commands/work-message.ts'

/** A suspect that ends within this time was none: the next one is read at once. */
const MOMENT_MS = 25
/** How long suspects that had to step aside stay hidden while a slow one runs. */
const PAUSE_MS = 250

/**
 * A command whose earlier attempt ended without a report may be what killed its worker. Two such commands never run
 * beside each other in a worker, and none waits in its buffer: the one that kills takes no other suspect's attempt
 * along, so after a crash the innocent ones finish and the guilty one runs out of attempts alone.
 */
export const createSuspects = (now: () => number = () => performance.now()) => {
  let running: WorkItem | null = null
  let began = 0
  let oneByOne = false

  const age = (): number => now() - began

  return {
    /** Called with every batch read: after one that held several suspects, messages are read one by one for a while. */
    saw: (opened: readonly OpenedMessage[]): void => {
      const suspects = opened.filter(one => one.kind === 'work' && one.suspect).length
      if (suspects > 1) oneByOne = true
      else if (suspects === 0) oneByOne = false
    },
    /** Whether a job may run now; the first suspect may, others step aside until it has ended. */
    mayRun: (job: WorkItem): boolean => {
      if (!job.suspect) return true
      if (running !== null) return false
      running = job
      began = now()
      return true
    },
    ended: (job: WorkItem): void => {
      if (running === job) running = null
    },
    /** Milliseconds for which reading should wait: a suspect has just begun and others are behind it. */
    waitMs: (): number => (oneByOne && running !== null ? Math.max(0, MOMENT_MS - age()) : 0),
    /** Messages to read at the most. */
    atMost: (): number => (oneByOne && running === null ? 1 : Number.POSITIVE_INFINITY),
    /** For how long suspects that step aside are hidden. */
    pauseMs: (): number => (running !== null && age() >= MOMENT_MS ? PAUSE_MS : 0),
  }
}
