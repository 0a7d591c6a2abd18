import type { AllStreamRecordedEvent, Direction, Position } from '@eventstore/db-client'
import type { EventFeed, FeedPosition } from '../../../application/ports/event-feed.ts'
import { retryWhileAway } from '../connection/retry-while-away.ts'
import type { EventStoreDbOptions } from './event-store.ts'
import { collect } from './reading.ts'
import {
  beginningsOf,
  feedEventOf,
  isAfter,
  isMarked,
  isNamedLikeOurs,
  type OurStreams,
  parsePosition,
  positionText,
} from './records.ts'

export interface EventStoreDbFeedOptions<Event> extends EventStoreDbOptions<Event>, OurStreams {}

const PAGE = 500
/** The smallest page, as events of others have to be skipped. */
const SMALLEST_PAGE = 50

/** `$all` without events of others. The server cannot filter such a read, so long ranges without own events are remembered. */
export const createEventStoreDbEventFeed = <Event>(options: EventStoreDbFeedOptions<Event>): EventFeed<Event> => {
  const { connection, codec, streamPrefix, timeoutMs = 10_000, retryMs = 10_000 } = options
  const beginnings = beginningsOf(options)
  const isOurs = (record: AllStreamRecordedEvent): boolean => isNamedLikeOurs(record, beginnings) && isMarked(record)
  /** A range without events of this log. */
  let empty: { readonly after: FeedPosition | null; readonly until: Position } | null = null
  let newest: { readonly ours: FeedPosition | null; readonly seen: Position | null } = { ours: null, seen: null }

  const readPage = async (
    from: Position | 'start' | 'end',
    direction: Direction,
    count: number,
  ): Promise<readonly AllStreamRecordedEvent[]> => {
    const page = await retryWhileAway(retryMs, async () => {
      const client = await connection.reader()
      return collect(client.readAll({ fromPosition: from, direction, maxCount: count }), timeoutMs)
    })
    return page.flatMap(({ event, link }) => link ?? event ?? [])
  }

  return {
    read: async (after, limit) => {
      const start = after === null ? null : parsePosition(after)
      const found: AllStreamRecordedEvent[] = []
      // one more than the limit: a page begins with the event at the start position
      const count = Math.min(PAGE, Math.max(SMALLEST_PAGE, limit + 1))
      let last = empty !== null && empty.after === after ? empty.until : start
      for (;;) {
        const page = await readPage(last ?? 'start', 'forwards', count)
        const fresh = page.filter(({ position }) => last === null || isAfter(position, last))
        found.push(...fresh.filter(isOurs))
        last = fresh.at(-1)?.position ?? last
        if (found.length >= limit || page.length < count || fresh.length === 0) break
      }
      if (found.length === 0 && last !== null) empty = { after, until: last }
      return found.slice(0, limit).map(record => feedEventOf(codec, record, streamPrefix))
    },

    head: async () => {
      let from: Position | 'end' = 'end'
      let seen: Position | null = null
      const stop = newest
      for (;;) {
        const page = await readPage(from, 'backwards', from === 'end' ? SMALLEST_PAGE : PAGE)
        seen ??= page[0]?.position ?? null
        const ours = page.find(isOurs)
        if (ours !== undefined) newest = { ours: positionText(ours.position), seen }
        const last = page.at(-1)?.position
        const isFirst = page.length < (from === 'end' ? SMALLEST_PAGE : PAGE)
        const known = last === undefined || (stop.seen !== null && !isAfter(last, stop.seen))
        if (ours === undefined && (known || isFirst)) newest = { ours: stop.ours, seen: seen ?? stop.seen }
        if (ours !== undefined || known || isFirst) return newest.ours
        from = last
      }
    },
  }
}
