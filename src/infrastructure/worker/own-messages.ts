import type { Log } from '../../application/ports/log.ts'
import type { Delivery, DeliveryTag, Queue } from '../../application/ports/queue.ts'

export interface OwnMessagesDeps {
  readonly queue: Pick<Queue, 'handBack'>
  /** The queue's name. */
  readonly name: string
  readonly leaseMs: number
  readonly log: Log
}

/** A message this worker has, whose attempt is not in the log yet. */
interface Held {
  readonly delivery: number
  /** Another worker has begun the command meanwhile. */
  readonly lost: () => void
}

/** How long one that another worker had in between stays hidden, while its handler still runs here. */
const PAUSE_MS = 1_000

/**
 * What this worker holds. A lease runs out under a process that stood still, and then it may read its own message: it is
 * not begun a second time beside itself. The read is taken back, so that the attempt under way stays the present one,
 * unless another worker was there in between.
 */
export const createOwnMessages = ({ queue, name, leaseMs, log }: OwnMessagesDeps) => {
  const held = new Map<string, Held>()

  const giveBack = async (deliveries: readonly DeliveryTag[], delayMs: number): Promise<void> => {
    if (deliveries.length === 0) return
    const messages = deliveries.map(({ msgId }) => msgId)
    log.warn({ queue: name, messages }, 'leases ran out under handlers that still run here; they are not begun again')
    await queue.handBack(name, deliveries, { uncount: true, delayMs })
  }

  return {
    hold: ({ msgId, delivery }: DeliveryTag, lost: () => void): void => {
      held.set(msgId, { delivery, lost })
    },
    letGo: ({ msgId }: DeliveryTag): void => {
      held.delete(msgId)
    },
    /** Of messages just read, those that may be begun. */
    others: async (deliveries: readonly Delivery[]): Promise<readonly Delivery[]> => {
      const again = deliveries.filter(({ msgId }) => held.has(msgId))
      if (again.length === 0) return deliveries
      const isNext = ({ msgId, delivery }: Delivery): boolean => held.get(msgId)?.delivery === delivery - 1
      const kept = again.filter(isNext)
      const taken = again.filter(delivery => !isNext(delivery))
      for (const { msgId } of taken) held.get(msgId)?.lost()
      // as it is now: one that ends while it is given back must not begin by a read that was taken back
      const mayBegin = deliveries.filter(({ msgId }) => !held.has(msgId))
      // one that only waited here has been let go
      const runs = taken.filter(({ msgId }) => held.has(msgId))
      try {
        await giveBack(kept, leaseMs)
        await giveBack(runs, PAUSE_MS)
      } catch (error) {
        log.warn({ err: error, queue: name }, 'messages could not be given back; they come back after their lease')
      }
      return mayBegin
    },
  }
}
