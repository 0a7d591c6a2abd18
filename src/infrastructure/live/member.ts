import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { LiveEvent } from '../../application/ports/reading/live-events.ts'

/** One live reader's bounded buffer between the reader of the log and the consumer. */
export interface Member {
  /** Called by the log's reader with an event. If the buffer is full, the event will be read from the log later. */
  readonly offer: (event: LiveEvent) => void
  /** Called when the log's reader has read everything up to here. */
  readonly passed: (position: FeedPosition) => void
  /** Ends the wait of `next` with `closed`. */
  readonly close: () => void
  /** The next event; `behind`: after the last buffered one, read on from the log after `reached`. */
  readonly next: () => Promise<LiveEvent | 'closed' | 'behind'>
  /** Everything up to here was handed to the consumer. */
  readonly reached: () => FeedPosition
}

export interface MemberOptions {
  readonly from: FeedPosition
  readonly maxBuffered: number
  readonly wants: (event: LiveEvent) => boolean
  readonly compare: (a: FeedPosition, b: FeedPosition) => number
}

export const createMember = ({ from, maxBuffered, wants, compare }: MemberOptions): Member => {
  let buffer: LiveEvent[] = []
  let handed = from
  let passed = from
  let joined = false
  let closed = false
  let behind = false
  let wake: () => void = () => {}

  return {
    offer: event => {
      if (closed || behind) return
      // the member has read this from the log by itself
      if (!joined && compare(event.position, from) <= 0) return
      joined = true
      if (!wants(event)) return
      if (buffer.length >= maxBuffered) behind = true
      else buffer.push(event)
      wake()
    },
    passed: position => {
      if (!behind && (joined || compare(position, from) > 0)) passed = position
    },
    close: () => {
      closed = true
      buffer = []
      wake()
    },
    next: async () => {
      while (!closed) {
        const event = buffer.shift()
        if (event !== undefined) {
          handed = event.position
          return event
        }
        if (behind) return 'behind'
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return 'closed'
    },
    reached: () => (!behind && !closed && buffer.length === 0 ? passed : handed),
  }
}
