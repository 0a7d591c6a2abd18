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
  /** Its handler has ended, and its outcome is on the way to the log. */
  isHandled: boolean
  /** Called when another worker has begun the command. */
  readonly lost: (tag: DeliveryTag) => void
}

/** How long a message that another worker had in between stays hidden while its handler still runs here. */
const PAUSE_MS = 1_000
/** How long one stays hidden whose outcome is in the log already, or is about to be. */
const REPORTING_MS = 20

/**
 * The messages that this worker holds. When a blocked process loses a lease, it may read its own message again. Then the
 * command is not begun a second time: the read is taken back, so that the running attempt stays the present one, unless
 * another worker had the message in between.
 */
export const createOwnMessages = ({ queue, name, leaseMs, log }: OwnMessagesDeps) => {
  const held = new Map<string, Held>()

  const giveBack = async (deliveries: readonly DeliveryTag[], delayMs: number): Promise<void> => {
    if (deliveries.length > 0) await queue.handBack(name, deliveries, { uncount: true, delayMs })
  }

  const warnOf = (running: readonly DeliveryTag[]): void => {
    if (running.length === 0) return
    const messages = running.map(({ msgId }) => msgId)
    log.warn({ queue: name, messages }, 'leases ran out under handlers that still run here; they are not begun again')
  }

  return {
    hold: (tag: DeliveryTag, lost: Held['lost']): void => {
      held.set(messageKey(tag), { delivery: tag.delivery, isHandled: false, lost })
    },
    /** Its handler has ended. The next attempt may be read before the answer to the report of this one has arrived. */
    handled: (tag: DeliveryTag): void => {
      const one = held.get(messageKey(tag))
      if (one !== undefined) one.isHandled = true
    },
    letGo: (tag: DeliveryTag): void => {
      held.delete(messageKey(tag))
    },
    /** The messages just read that may be begun. */
    others: async (deliveries: readonly Delivery[]): Promise<readonly Delivery[]> => {
      const isHeld = (tag: DeliveryTag): boolean => held.has(messageKey(tag))
      const again = deliveries.filter(isHeld)
      if (again.length === 0) return deliveries
      const isNext = (tag: Delivery): boolean => held.get(messageKey(tag))?.delivery === tag.delivery - 1
      const next = again.filter(isNext)
      const isHandled = (tag: Delivery): boolean => held.get(messageKey(tag))?.isHandled === true
      const kept = next.filter(tag => !isHandled(tag))
      const reporting = next.filter(isHandled)
      const taken = again.filter(delivery => !isNext(delivery))
      for (const tag of taken) held.get(messageKey(tag))?.lost(tag)
      // checked before the read is taken back: an attempt that ends meanwhile must not be begun by that read
      const mayBegin = deliveries.filter(tag => !isHeld(tag))
      // one that only waited in the buffer has been released
      const runs = taken.filter(isHeld)
      warnOf([...kept, ...runs])
      try {
        await giveBack(kept, leaseMs)
        await giveBack(reporting, REPORTING_MS)
        await giveBack(runs, PAUSE_MS)
      } catch (error) {
        log.warn({ err: error, queue: name }, 'messages could not be given back; they come back after their lease')
      }
      return mayBegin
    },
  }
}
