import type { OpenedMessage } from '../../application/commands/work-message.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Delivery, Queue } from '../../application/ports/queue.ts'
import { retryTransient } from '../postgres/transactions/retry-transient.ts'
import { createBackOff } from '../shared/back-off.ts'
import type { WakeUp } from '../shared/wake-up.ts'
import type { Pausing } from './flow/pausing.ts'
import type { createHealth } from './health.ts'
import type { createOwnMessages } from './own-messages.ts'
import type { Slots } from './slots.ts'
import type { createSuspects } from './suspects.ts'

export interface FetcherDeps {
  readonly queue: Queue
  /** The queue's name. */
  readonly name: string
  readonly leaseMs: number
  readonly pollMs: number
  /** What messages mean, by the log. */
  readonly open: (deliveries: readonly Delivery[]) => Promise<readonly OpenedMessage[]>
  readonly accept: (opened: readonly OpenedMessage[]) => Promise<void>
  readonly own: ReturnType<typeof createOwnMessages>
  readonly slots: Slots
  readonly suspects: ReturnType<typeof createSuspects>
  readonly pausing: Pick<Pausing, 'mayBegin'>
  readonly health: Pick<ReturnType<typeof createHealth>, 'round' | 'fetched' | 'failed'>
  /** Rings when the queue may have got messages. */
  readonly bell: WakeUp
  readonly slotFree: WakeUp
  readonly isStopping: () => boolean
  readonly log: Log
}

/** The shortest pause after a look that found nothing: what is visible then is in somebody else's hands. */
const SOON_MS = 10
/** Lanes that have to be looked at again wait no longer than this, however much there is to read. */
const LOOK_MS = 500

/** Reads batches for the slots until the worker stops. */
export const createFetcher = (deps: FetcherDeps): (() => Promise<void>) => {
  const { queue, name, leaseMs, pollMs, own, slots, suspects, health, bell, slotFree, log } = deps

  /** While the log cannot be read nobody begins: the messages go back uncounted. */
  const openOrHandBack = async (deliveries: readonly Delivery[]): Promise<readonly OpenedMessage[]> => {
    try {
      return await deps.open(deliveries)
    } catch (error) {
      await retryTransient(() => queue.handBack(name, deliveries, { uncount: true })).catch(() => {})
      throw error
    }
  }

  return async (): Promise<void> => {
    const backOff = createBackOff()
    let lookedAt = Number.NEGATIVE_INFINITY
    while (!deps.isStopping()) {
      let read = 0
      health.round()
      try {
        const pause = suspects.waitMs()
        const quantity = pause > 0 || !deps.pausing.mayBegin() ? 0 : Math.min(slots.wanted(), suspects.atMost())
        if (quantity <= 0) {
          await slotFree.wait(pause > 0 ? pause : pollMs)
          continue
        }
        const deliveries = await own.others(await queue.read(name, quantity, leaseMs))
        slots.saw(deliveries)
        read = deliveries.length
        const opened = read > 0 ? await openOrHandBack(deliveries) : []
        // what is to be worked on has been taken by then, whatever becomes of the other messages
        if (read > 0) await deps.accept(opened).finally(slots.pump)
        const looks = !deps.isStopping() && (read === 0 || performance.now() - lookedAt >= LOOK_MS)
        const next = looks ? await queue.nextVisibleIn(name) : null
        if (looks) lookedAt = performance.now()
        health.fetched(read)
        backOff.reset()
        if (read === 0 && !deps.isStopping()) {
          await bell.wait(Math.min(pollMs, next === null ? pollMs : Math.max(SOON_MS, Math.ceil(next) + 1)))
        }
      } catch (error) {
        health.failed(read > 0)
        log.warn({ err: error, queue: name }, 'the queue cannot be read; trying again')
        await queue.ensure(name).catch(() => {})
        await bell.wait(backOff.next())
      }
    }
  }
}
