import { CommandBusError } from '../../application/errors.ts'
import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { LiveEvent } from './live-event.ts'

/** A reader did not keep up: it may resume from the last event it got. */
export class SlowReaderError extends CommandBusError {
  override readonly name = 'SlowReaderError'
  constructor(waiting: number) {
    super('SLOW_READER', `the reader is too slow: ${waiting} events wait for it; resume after the last one received`)
  }
}

/** One live reader's share of the common stream: a bounded buffer between the reader of the log and its consumer. */
export interface Member {
  /** The log's reader hands over an event. A full buffer ends the membership. */
  readonly offer: (event: LiveEvent) => void
  /** The log's reader has looked at everything up to here. */
  readonly passed: (position: FeedPosition) => void
  /** Ends the wait of `next` with null. */
  readonly close: () => void
  /** The next event; null once closed. @throws SlowReaderError */
  readonly next: () => Promise<LiveEvent | null>
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
  let slow: SlowReaderError | null = null
  let wake: () => void = () => {}

  return {
    offer: event => {
      if (closed || slow !== null) return
      // what the member has read from the log by itself
      if (!joined && compare(event.position, from) <= 0) return
      joined = true
      if (!wants(event)) return
      if (buffer.length >= maxBuffered) {
        slow = new SlowReaderError(buffer.length)
        buffer = []
      } else {
        buffer.push(event)
      }
      wake()
    },
    passed: position => {
      if (joined || compare(position, from) > 0) passed = position
    },
    close: () => {
      closed = true
      buffer = []
      wake()
    },
    next: async () => {
      while (!closed) {
        if (slow !== null) throw slow
        const event = buffer.shift()
        if (event !== undefined) {
          handed = event.position
          return event
        }
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return null
    },
    reached: () => (slow === null && !closed && buffer.length === 0 ? passed : handed),
  }
}
