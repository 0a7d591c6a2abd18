import { setTimeout as delay } from 'node:timers/promises'
import type { EventFeed, FeedPosition } from '../../../application/ports/event-feed.ts'
import type { createLag } from './lag.ts'

export interface ProbeOptions {
  readonly feed: Pick<EventFeed<unknown>, 'head'>
  readonly lag: Pick<ReturnType<typeof createLag>, 'behindMs'>
  /** Called with the end of the log. */
  readonly onHead: (head: FeedPosition | null) => void
  readonly everyMs: number
  readonly stallMs: number
  /** When the subscription was confirmed or last brought an event; by `performance.now()`. */
  readonly progressAt: () => number
  readonly isConfirmed: () => boolean
}

/**
 * Reads the end of the log until `over`, to measure the lag and to check the subscription. A dead subscription looks like one
 * without events, so one that brings nothing while the log has more counts as stalled.
 */
export const probe = async (options: ProbeOptions, over: AbortSignal, onStalled: (why: string) => void) => {
  const { feed, lag, onHead, everyMs, stallMs } = options
  let answered = performance.now()
  while (!over.aborted) {
    const head = await feed.head().catch(() => undefined)
    if (over.aborted) return
    const now = performance.now()
    if (head !== undefined) {
      answered = now
      onHead(head)
    }
    const idleMs = now - options.progressAt()
    const why = !options.isConfirmed()
      ? 'EventStoreDB has not confirmed the subscription'
      : now - answered > stallMs
        ? 'EventStoreDB does not report the end of its log'
        : lag.behindMs() > stallMs
          ? 'the log has more events, but the subscription does not bring them'
          : null
    if (why !== null && idleMs > stallMs) return onStalled(`${why} for ${Math.round(idleMs)} ms`)
    await delay(everyMs, undefined, { signal: over }).catch(() => {})
  }
}
