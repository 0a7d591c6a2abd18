import type { WorkItem } from '../../application/commands/work-message.ts'
import type { Log } from '../../application/ports/log.ts'
import { BoundedMap } from '../../application/shared/bounded-map.ts'
import { InvalidInputError } from '../../application/shared/errors.ts'
import type { OnUnknownType } from './worker-api.ts'

export interface UnknownTypesDeps {
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
export const createUnknownTypes = ({ graceMs, knows, log, now, random }: UnknownTypesDeps) => {
  const firstSeen = new BoundedMap<string, number>(REMEMBERED_TYPES)

  const seen = (commandType: string, graceSeconds: number): number => {
    const known = firstSeen.get(commandType)
    if (known !== undefined) return known
    const at = now()
    firstSeen.set(commandType, at)
    log.warn(
      { commandType, graceSeconds },
      'no handler is registered for this type: its commands go back to the queue, and are parked when no other worker takes them within the period',
    )
    return at
  }

  return {
    /** For how many more milliseconds the command is put off; null: it runs, or is parked, now. */
    putOffMs: (job: WorkItem): number | null => {
      const { commandType } = job.command.sent
      if (graceMs === null || knows(commandType)) return null
      const left = Math.max(dueAt(job), seen(commandType, graceMs / 1000)) + graceMs - now()
      return left > 0 ? left : null
    },
    /** How long messages that are put off stay hidden, at most `leftMs`; not the same for all workers. */
    delayMs: (leftMs: number): number => {
      const tenth = Math.min(Math.max((graceMs ?? 0) / 10, SHORTEST_MS), LONGEST_MS)
      return Math.ceil(Math.min(tenth * (0.75 + random() / 2), Math.max(leftMs, 1)))
    },
  }
}

/** Since when the command may be handled, in milliseconds since 1970. A deferral leaves no trace and does not change it. */
const dueAt = ({ command, loaded: { state } }: WorkItem): number => {
  if (state.status === 'PENDING') return Date.parse(state.dueAt)
  return Date.parse(state.status === 'IN_PROGRESS' ? state.leaseExpiresAt : command.sent.at)
}
