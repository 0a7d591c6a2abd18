import type { Log } from '../../application/ports/log.ts'
import type { Delivery, DeliveryTag, Queue } from '../../application/ports/queue.ts'

export interface OwnMessagesDeps {
  readonly queue: Pick<Queue, 'handBack'>
  /** The queue's name. */
  readonly name: string
  readonly leaseMs: number
  readonly log: Log
}

/** A message of this worker whose outcome is not in the log yet. */
interface Held {
  readonly delivery: number
  /** Called when another worker has begun the command. */
  readonly lost: (tag: DeliveryTag) => void
}

/** How long a message that another worker had in between stays hidden while its handler still runs here. */
const PAUSE_MS = 1_000

/**
 * The messages that this worker holds. When a blocked process loses a lease, it may read its own message again. Then the
 * command is not begun a second time: the read is taken back, so that the running attempt stays the present one, unless
 * another worker had the message in between.
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
    hold: ({ msgId, delivery }: DeliveryTag, lost: Held['lost']): void => {
      held.set(msgId, { delivery, lost })
    },
    letGo: ({ msgId }: DeliveryTag): void => {
      held.delete(msgId)
    },
    /** The messages just read that may be begun. */
    others: async (deliveries: readonly Delivery[]): Promise<readonly Delivery[]> => {
      const again = deliveries.filter(({ msgId }) => held.has(msgId))
      if (again.length === 0) return deliveries
      const isNext = ({ msgId, delivery }: Delivery): boolean => held.get(msgId)?.delivery === delivery - 1
      const kept = again.filter(isNext)
      const taken = again.filter(delivery => !isNext(delivery))
      for (const tag of taken) held.get(tag.msgId)?.lost(tag)
      // checked before the read is taken back: an attempt that ends meanwhile must not be begun by that read
      const mayBegin = deliveries.filter(({ msgId }) => !held.has(msgId))
      // one that only waited in the buffer has been released
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
