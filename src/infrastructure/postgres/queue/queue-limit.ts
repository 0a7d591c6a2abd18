import type { Pool } from 'pg'
import type { AdmitQueues } from '../../../application/ports/queue.ts'
import { TooManyQueuesError } from '../../../application/shared/errors.ts'
import { isLockTimeout, isOutage } from '../connection/errors.ts'
import { withClient } from '../connection/with-client.ts'
import { type QueueCatalog, withPatience } from './queue-catalog.ts'

export interface QueueLimits {
  /** At this many queues in the database, of the bus and of others, no send makes another one. */
  readonly most: number
  /** New queues that one caller's sends may cause within an hour. */
  readonly perHour: number
}

export const usualQueueLimits: QueueLimits = { most: 1_000, perHour: 100 }

/**
 * Allows sends to existing queues, and to new ones within the limits. A queue is two tables, and all sessions share the
 * database's memory for locks. The database counts, for all processes together.
 */
export const createQueueLimit = (pool: Pool, catalog: QueueCatalog, { most, perHour }: QueueLimits): AdmitQueues => {
  const claim = async (queues: readonly string[], caller: string | null): Promise<'most' | 'caller' | null> => {
    try {
      const missing = await catalog.unmade(new Set(queues))
      if (missing.length === 0) return null
      return await withClient(pool, async client => {
        // not the database's default: it has to see what others have claimed while it waited for them
        await client.query('begin isolation level read committed')
        const { rows } = await client.query<{ refused: 'most' | 'caller' | null }>(
          'select command_bus_claim_queues($1::text[], $2::text, $3::int, $4::int) as refused',
          [missing, caller, most, perHour],
        )
        await client.query('commit')
        return rows[0]?.refused ?? null
      })
    } catch (error) {
      // with the log in EventStoreDB a send does not need this database; with the log here it fails by itself
      if (isOutage(error) && !isLockTimeout(error)) return null
      throw error
    }
  }

  const admitNew = async (queues: readonly string[], caller: string | null): Promise<void> => {
    // many at once wait for one another
    const refused = await withPatience(() => claim(queues, caller))
    if (refused === 'caller') {
      throw new TooManyQueuesError(
        `you may add at most ${perHour} domains and reply queues an hour: use existing ones, or try again later`,
      )
    }
    if (refused === 'most') {
      throw new TooManyQueuesError(
        `the limit of ${most} queues is reached, so no domain or reply queue can be added: use an existing one, ` +
          'or let an administrator drop queues (`commandbus queues`) or raise maxQueues (COMMANDBUS_MAX_QUEUES)',
      )
    }
  }

  // what is not limited is not counted
  if (most === Number.POSITIVE_INFINITY && perHour === Number.POSITIVE_INFINITY) return () => null
  return (queues, caller) => {
    const open = queues.filter(queue => !catalog.isKnown(queue))
    return open.length === 0 ? null : admitNew(open, caller)
  }
}
