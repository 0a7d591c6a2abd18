import type { Pool } from 'pg'
import { type Delivery, messageKey } from '../../../application/ports/queue.ts'
import type { Adoption } from './adoption.ts'

export interface QueueAdoption {
  readonly adopted: number
  /** Those that cannot be commands, with the reason, by the keys of the messages. */
  readonly refused: ReadonlyMap<string, string>
}

/** What workers do with messages of other programs on a queue. */
export interface QueueStrangers {
  /** Makes commands of messages that the worker has read. */
  readonly adopt: (deliveries: readonly Delivery[], actor: string) => Promise<QueueAdoption>
  /** Notes that other programs send to this queue, too. */
  readonly share: (queue: string) => Promise<void>
}

export const createQueueStrangers = (pool: Pool, adopt: Adoption): QueueStrangers => ({
  adopt: async (deliveries, actor) => {
    // the read that found it is not an attempt of others
    const found = deliveries.map(({ queue, msgId, delivery, body }) => ({ queue, msgId, reads: delivery - 1, body }))
    const outcomes = await adopt(found, { actor }, async (querier, settled) => {
      let removed = 0
      for (const queue of new Set(settled.map(one => one.found.queue))) {
        const ids = settled.flatMap(({ found }) => (found.queue === queue ? [found.msgId] : []))
        const { rowCount } = await querier.query('select command_bus_remove($1::text, $2::bigint[])', [queue, ids])
        removed += rowCount ?? 0
      }
      return removed
    })
    const refused = new Map<string, string>()
    outcomes.forEach((outcome, i) => {
      if (outcome.outcome === 'refused') refused.set(messageKey(deliveries[i] as Delivery), outcome.why)
    })
    return { adopted: outcomes.filter(({ outcome }) => outcome === 'adopted').length, refused }
  },
  share: async queue => {
    await pool.query('select command_bus_share_queue($1::text)', [queue])
  },
})
