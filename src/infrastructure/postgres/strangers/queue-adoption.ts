import type { Pool } from 'pg'
import type { Delivery } from '../../../application/ports/queue.ts'
import type { Adoption } from './adoption.ts'

export interface QueueAdoption {
  readonly adopted: number
  /** Those that cannot be commands, with the reason, by message id. */
  readonly refused: ReadonlyMap<string, string>
}

/** What workers do with messages of other programs on a queue. */
export interface QueueStrangers {
  /** Makes commands of messages that the worker has read. */
  readonly adopt: (queue: string, deliveries: readonly Delivery[], actor: string) => Promise<QueueAdoption>
  /** Notes that other programs send to this queue, too. */
  readonly share: (queue: string) => Promise<void>
}

export const createQueueStrangers = (pool: Pool, adopt: Adoption): QueueStrangers => ({
  adopt: async (queue, deliveries, actor) => {
    // the read that found it is not an attempt of others
    const found = deliveries.map(({ msgId, delivery, body }) => ({ queue, msgId, reads: delivery - 1, body }))
    const outcomes = await adopt(found, { actor }, async (querier, settled) => {
      const ids = settled.map(one => one.found.msgId)
      const { rowCount } = await querier.query('select command_bus_remove($1::text, $2::bigint[])', [queue, ids])
      return rowCount ?? 0
    })
    const refused = new Map<string, string>()
    outcomes.forEach((outcome, i) => {
      if (outcome.outcome === 'refused') refused.set((deliveries[i] as Delivery).msgId, outcome.why)
    })
    return { adopted: outcomes.filter(({ outcome }) => outcome === 'adopted').length, refused }
  },
  share: async queue => {
    await pool.query('select command_bus_share_queue($1::text)', [queue])
  },
})
