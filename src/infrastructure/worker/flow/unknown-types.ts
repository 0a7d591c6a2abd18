import type { WorkItem } from '../../../application/commands/work-message.ts'
import type { Log } from '../../../application/ports/log.ts'
import type { Queue } from '../../../application/ports/queue.ts'
import { BoundedMap } from '../../../application/shared/bounded-map.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'

/**
 * What happens to a command of a type that the worker has no handler for. `park`: it waits for an operator at once. With
 * `deferSeconds` (1-86,400) it goes back to the queue again and again, so that another worker takes it, and is parked when
 * none has within that time. A deferral is no attempt and no event.
 */
export type OnUnknownType = 'park' | { readonly deferSeconds: number }

export interface UnknownTypesDeps {
  readonly queue: Pick<Queue, 'handBack'>
  /** The queue's name. */
  readonly name: string
  /** How long a command of an unknown type is put off before it is parked; null: it is parked at once. */
  readonly graceMs: number | null
  readonly knows: (commandType: string) => boolean
  readonly log: Log
  /** By the same clock as the times in the log. */
  readonly now: () => number
  readonly random: () => number
}

const MAX_SECONDS = 86_400
/** A deferred message comes back after a tenth of the period, but neither sooner nor later than these. */
const SHORTEST_MS = 100
const LONGEST_MS = 30_000
const REMEMBERED_TYPES = 1_000

/** The period in milliseconds; null: none. @throws InvalidInputError */
export const graceOf = (given: OnUnknownType = 'park'): number | null => {
  if (given === 'park') return null
  const seconds = (given as { readonly deferSeconds?: unknown } | null)?.deferSeconds
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_SECONDS) {
    return seconds * 1000
  }
  throw new InvalidInputError(
    'onUnknownType',
    `must be 'park', or { deferSeconds } with a whole number from 1 to ${MAX_SECONDS}`,
  )
}

/**
 * Commands of types that this worker has no handler for. They are put off for a period, so that another worker of a
 * rolling deploy takes them. The period begins when the command became due, or when this worker first saw its type,
 * whichever is later: so a backlog is put off, too, and a worker that was restarted parks later, never earlier.
 */
export const createUnknownTypes = ({ queue, name, graceMs, knows, log, now, random }: UnknownTypesDeps) => {
  const firstSeen = new BoundedMap<string, number>(REMEMBERED_TYPES)

  const seen = (commandType: string): number => {
    const known = firstSeen.get(commandType)
    if (known !== undefined) return known
    const at = now()
    firstSeen.set(commandType, at)
    log.warn(
      { queue: name, commandType, forMs: graceMs },
      'no handler is registered for this type: its commands go back to the queue, and are parked when no other worker takes them within the period',
    )
    return at
  }

  const leftMs = (job: WorkItem, ms: number): number =>
    Math.max(dueAt(job), seen(job.command.sent.commandType)) + ms - now()

  return {
    /** Whether the command is put off; if not, it runs or is parked. */
    holds: (job: WorkItem): boolean =>
      graceMs !== null && !knows(job.command.sent.commandType) && leftMs(job, graceMs) > 0,
    /** Gives messages back uncounted, for a time that differs between workers. */
    putAway: async (jobs: readonly WorkItem[]): Promise<void> => {
      if (graceMs === null || jobs.length === 0) return
      const tenth = Math.min(Math.max(graceMs / 10, SHORTEST_MS), LONGEST_MS)
      const left = Math.min(...jobs.map(job => leftMs(job, graceMs)))
      await queue.handBack(
        name,
        jobs.map(({ delivery }) => delivery),
        { uncount: true, delayMs: Math.ceil(Math.min(tenth * (0.75 + random() / 2), Math.max(left, 1))) },
      )
    },
  }
}

export type UnknownTypes = ReturnType<typeof createUnknownTypes>

/** Since when the command may be handled, in milliseconds since 1970. A deferral leaves no trace and does not change it. */
const dueAt = ({ command, loaded: { state } }: WorkItem): number => {
  if (state.status === 'PENDING') return Date.parse(state.dueAt)
  return Date.parse(state.status === 'IN_PROGRESS' ? state.leaseExpiresAt : command.sent.at)
}
