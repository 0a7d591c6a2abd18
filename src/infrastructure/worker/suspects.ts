import type { OpenedMessage, WorkItem } from '../../application/commands/work-message.ts'

/** A suspect that ends within this time is innocent: the next one is read at once. */
const MOMENT_MS = 25
/** How long suspects that had to step aside stay hidden while a slow one runs. */
const PAUSE_MS = 250

/**
 * A command whose earlier attempt ended without a report may have killed its worker: a suspect. A worker runs one suspect at a
 * time and keeps none in its buffer. So a crash costs no other suspect an attempt: the innocent ones finish, and only the
 * guilty one runs out of attempts.
 */
export const createSuspects = (now: () => number = () => performance.now()) => {
  let running: WorkItem | null = null
  let began = 0
  let oneByOne = false

  const age = (): number => now() - began

  return {
    /** Called with every batch read: after one with several suspects, messages are read one by one for a while. */
    saw: (opened: readonly OpenedMessage[]): void => {
      const suspects = opened.filter(one => one.kind === 'work' && one.suspect).length
      if (suspects > 1) oneByOne = true
      else if (suspects === 0) oneByOne = false
    },
    /** Whether a work item may run now: the first suspect may, others wait until it has ended. */
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
    /** Milliseconds to wait before the next read, as a suspect has just begun and others wait. */
    waitMs: (): number => (oneByOne && running !== null ? Math.max(0, MOMENT_MS - age()) : 0),
    /** How many messages to read at most. */
    atMost: (): number => (oneByOne && running === null ? 1 : Number.POSITIVE_INFINITY),
    /** How long waiting suspects are hidden, in milliseconds. */
    pauseMs: (): number => (running !== null && age() >= MOMENT_MS ? PAUSE_MS : 0),
  }
}
