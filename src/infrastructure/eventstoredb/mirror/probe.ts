import { setTimeout as delay } from 'node:timers/promises'
import type { EventFeed, FeedPosition } from '../../../application/ports/event-feed.ts'
import type { createLag } from './lag.ts'

export interface ProbeOptions {
  readonly feed: Pick<EventFeed<unknown>, 'head'>
  readonly lag: Pick<ReturnType<typeof createLag>, 'behindMs'>
  /** The log ends there, EventStoreDB says. */
  readonly onHead: (head: FeedPosition | null) => void
  readonly everyMs: number
  readonly stallMs: number
  /** When the subscription was confirmed or last brought something; `performance.now()`. */
  readonly progressAt: () => number
  readonly isConfirmed: () => boolean
}

/**
 * Looks at the end of the log until `over`: how far behind we are, and whether the subscription still lives. A silent one
 * looks like one with nothing to say, so silence while the log has more is called a stall.
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
        ? 'EventStoreDB does not say where its log ends'
        : lag.behindMs() > stallMs
          ? 'the log has more, and the subscription does not bring it'
          : null
    if (why !== null && idleMs > stallMs) return onStalled(`${why} for ${Math.round(idleMs)} ms`)
    await delay(everyMs, undefined, { signal: over }).catch(() => {})
  }
}
