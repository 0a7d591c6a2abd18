import type { Pool } from 'pg'
import type { AdmitQueues } from '../../../application/ports/queue.ts'
import { TooManyQueuesError } from '../../../application/shared/errors.ts'
import { isOutage } from '../connection/errors.ts'
import type { QueueCatalog } from './queue.ts'

export interface QueueLimits {
  /** Queues in the database, whoever made them; no send makes more. */
  readonly most: number
  /** Queues that one caller's sends may be the first to need within an hour. */
  readonly perHour: number
}

export const usualQueueLimits: QueueLimits = { most: 1_000, perHour: 100 }

const HOUR_MS = 3_600_000

/**
 * Lets sends through to queues that are there already, and to new ones within the limits: a queue is two tables, and the
 * database's memory for locks is shared by everybody. What was let through is remembered until it is made, an hour at most.
 */
export const createQueueLimit = (pool: Pool, catalog: QueueCatalog, { most, perHour }: QueueLimits): AdmitQueues => {
  const reserved = new Map<string, number>()
  const callers = new Map<string, Map<string, number>>()

  const prune = (): void => {
    const before = performance.now() - HOUR_MS
    for (const names of [reserved, ...callers.values()]) {
      for (const [name, at] of names) if (at < before) names.delete(name)
    }
    for (const [caller, names] of callers) if (names.size === 0) callers.delete(caller)
  }

  const room = async (): Promise<number> => {
    const { rows } = await pool.query<{ made: number; there: readonly string[] }>(
      `select (select count(*)::int from pgmq.meta) as made,
         array(select m.queue_name::text from pgmq.meta m where m.queue_name = any ($1::text[])) as there`,
      [[...reserved.keys()]],
    )
    const { made = 0, there = [] } = rows[0] ?? {}
    for (const queue of there) reserved.delete(queue)
    return most - made - reserved.size
  }

  /** Those that are to be made, and how many more there may be; null: the database cannot say so now. */
  const asked = async (
    queues: readonly string[],
  ): Promise<{ readonly missing: readonly string[]; readonly left: number } | null> => {
    try {
      const missing = await catalog.unmade(new Set(queues))
      if (missing.length === 0) return { missing, left: 0 }
      prune()
      return { missing, left: await room() }
    } catch (error) {
      if (isOutage(error)) return null
      throw error
    }
  }

  const admitNew = async (queues: readonly string[], caller: string | null): Promise<void> => {
    const found = await asked(queues)
    // with the log elsewhere a send does without this database; with the log here it fails by itself
    if (found === null || found.missing.length === 0) return
    const { missing, left } = found
    // from here on nothing is waited for: what is counted is what is taken
    const own = caller === null ? null : (callers.get(caller) ?? new Map<string, number>())
    if (own !== null && own.size + missing.filter(queue => !own.has(queue)).length > perHour) {
      throw new TooManyQueuesError(
        `you may be the first to use ${perHour} domains and reply queues an hour: use those that are there, or try again later`,
      )
    }
    const fresh = missing.filter(queue => !reserved.has(queue))
    if (fresh.length > left) {
      throw new TooManyQueuesError(
        `there is room for ${most} queues, and no domain or reply queue can be added: use one that is there, ` +
          'or let an administrator drop queues (`commandbus queues`) or raise maxQueues (COMMANDBUS_MAX_QUEUES)',
      )
    }
    const now = performance.now()
    for (const queue of missing) {
      reserved.set(queue, now)
      own?.set(queue, now)
    }
    if (caller !== null && own !== null) callers.set(caller, own)
  }

  return (queues, caller) => {
    const admitted = caller === null ? reserved : callers.get(caller)
    const open = queues.filter(queue => !catalog.isKnown(queue) && admitted?.has(queue) !== true)
    return open.length === 0 ? null : admitNew(open, caller)
  }
}
