import type { Log } from '../../application/ports/log.ts'
import { type Delivery, type DeliveryTag, messageKey, type Queue } from '../../application/ports/queue.ts'

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
  /** The last time that it was read here once more and given back. */
  givenBack: Promise<void> | null
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

  const handBack = (tags: readonly DeliveryTag[], uncount: boolean, delayMs: number): Promise<void> =>
    queue.handBack(name, tags, { uncount, delayMs }).catch(error => {
      log.warn({ err: error, queue: name }, 'messages could not be given back; they come back after their lease')
    })

  const giveBack = async (deliveries: readonly DeliveryTag[], delayMs: number): Promise<void> => {
    if (deliveries.length === 0) return
    const done = handBack(deliveries, true, delayMs)
    for (const tag of deliveries) {
      const own = held.get(messageKey(tag))
      if (own !== undefined) own.givenBack = done
    }
    await done
  }

  const warnOf = (running: readonly DeliveryTag[]): void => {
    if (running.length === 0) return
    const messages = running.map(({ msgId }) => msgId)
    log.warn(
      { queue: name, messages },
      'messages came back while this worker still holds them; they are not begun again',
    )
  }

  return {
    hold: (tag: DeliveryTag, lost: Held['lost']): void => {
      held.set(messageKey(tag), { delivery: tag.delivery, givenBack: null, lost })
    },
    /**
     * `againMs`: the log has the outcome, and the command is tried again after that time. If its next attempt was read, and given
     * back for a lease, before the answer of the log was here, the message becomes visible when that attempt is due.
     */
    letGo: (tag: DeliveryTag, againMs: number | null = null): void => {
      const key = messageKey(tag)
      const own = held.get(key)
      held.delete(key)
      if (own?.givenBack == null || againMs === null) return
      const again: DeliveryTag = { queue: tag.queue, msgId: tag.msgId, delivery: own.delivery }
      void own.givenBack.then(() => handBack([again], false, againMs))
    },
    /** The messages just read that may be begun. */
    others: async (deliveries: readonly Delivery[]): Promise<readonly Delivery[]> => {
      const isHeld = (tag: DeliveryTag): boolean => held.has(messageKey(tag))
      const again = deliveries.filter(isHeld)
      if (again.length === 0) return deliveries
      const isNext = (tag: Delivery): boolean => held.get(messageKey(tag))?.delivery === tag.delivery - 1
      const kept = again.filter(isNext)
      const taken = again.filter(delivery => !isNext(delivery))
      for (const tag of taken) held.get(messageKey(tag))?.lost(tag)
      // checked before the read is taken back: an attempt that ends meanwhile must not be begun by that read
      const mayBegin = deliveries.filter(tag => !isHeld(tag))
      // one that only waited in the buffer has been released
      const runs = taken.filter(isHeld)
      warnOf([...kept, ...runs])
      await giveBack(kept, leaseMs)
      await giveBack(runs, PAUSE_MS)
      return mayBegin
    },
  }
}
