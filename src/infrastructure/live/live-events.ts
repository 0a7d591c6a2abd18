import type { FeedPosition } from '../../application/ports/event-feed.ts'
import { type Log, silentLog } from '../../application/ports/log.ts'
import type {
  LiveEvent,
  LiveFilter,
  SubscribeOptions,
  Subscription,
} from '../../application/ports/reading/live-events.ts'
import { CommandBusError, InvalidInputError, UnavailableError } from '../../application/shared/errors.ts'
import { createBackOff } from '../shared/back-off.ts'
import { createWakeUp } from '../shared/wake-up.ts'
import { type LivePage, type LiveSource, matches } from './live-event.ts'
import { createMember, type Member } from './member.ts'
import { createReader, type Listen } from './reader.ts'

export interface LiveEventsOptions {
  readonly source: LiveSource
  /** Wakes the reader before its next poll. */
  readonly listen: Listen
  readonly log?: Log
  /** The longest pause between two polls of the log, in milliseconds. Default 500. */
  readonly pollMs?: number
  /** The most events that wait for one reader; beyond it the reader reads from the log at its own pace. Default 1000. */
  readonly maxBuffered?: number
  /** The most readers at once. Default 1000. */
  readonly maxReaders?: number
  /** Events of one read. Default 500. */
  readonly pageSize?: number
}

export interface LiveEvents {
  /** @throws InvalidInputError for a position that is not of this log; CommandBusError RATE_LIMITED for too many readers */
  readonly subscribe: (options: SubscribeOptions) => Promise<Subscription>
  /** How many readers there are. */
  readonly readers: () => number
  /** How many of them have caught up and follow the common stream. */
  readonly following: () => number
  /** Whether anything reads or listens now. */
  readonly running: () => boolean
  /** Ends all iterations; resolves when nothing reads or listens any more. */
  readonly stop: () => Promise<void>
}

/** Shares one reader of the log among all live readers. Those that resume first read what they missed by themselves. */
export const createLiveEvents = (options: LiveEventsOptions): LiveEvents => {
  const { source, listen, log = silentLog, pollMs = 500, maxBuffered = 1000, maxReaders = 1000 } = options
  // a reader that takes each page before the next one comes need not go back to the log
  const pageSize = Math.min(options.pageSize ?? 500, maxBuffered)
  const reader = createReader({ source, listen, pollMs, pageSize, log })
  const open = new Set<AbortController>()
  /** Subscriptions that are being made. */
  let starting = 0
  let stopped = false

  const startOf = async (after: SubscribeOptions['after']): Promise<FeedPosition> => {
    if (after === null) return source.beginning
    if (after === 'now') return source.head()
    const position = source.parse(after)
    if (position === null) throw new InvalidInputError('after', 'this is not a position of an event')
    if (source.compare(position, await source.head()) > 0) {
      throw new InvalidInputError('after', 'the position is past the end of this log: it belongs to another log')
    }
    // going on there could skip events or repeat them
    if (!(await source.has(position))) {
      throw new InvalidInputError(
        'after',
        `no event of this log has that position: it belongs to another log, or to this one before a restore; leave it out to begin now, or send ${source.beginning} to begin with the first event`,
      )
    }
    return position
  }

  const tryRead = async (after: FeedPosition): Promise<LivePage | null> => {
    try {
      return await source.read(after, pageSize)
    } catch (error) {
      log.warn({ err: error }, 'live events cannot be read; trying again')
      return null
    }
  }

  /** Reads from the log up to its end, then as a member of the common stream; from the log again when behind. */
  const iterate = async function* (
    from: FeedPosition,
    filter: LiveFilter,
    end: AbortController,
    track: (reached: () => FeedPosition) => void,
  ): AsyncGenerator<LiveEvent, void, undefined> {
    const ended = end.signal
    if (ended.aborted) return
    open.add(end)
    const bell = createWakeUp()
    const wants = (event: LiveEvent): boolean => matches(filter, event)
    let position = from
    let member: Member | null = null
    const leave = (): void => {
      if (member === null) return
      reader.leave(member)
      member.close()
    }
    // the holder of the iterator may never call it again
    ended.addEventListener('abort', bell.wake)
    ended.addEventListener('abort', leave)
    const backOff = createBackOff()
    try {
      while (!ended.aborted) {
        track(() => position)
        const page = await tryRead(position)
        if (page === null) {
          await bell.wait(backOff.next())
          continue
        }
        backOff.reset()
        for (const event of page.events) {
          if (ended.aborted) return
          position = event.position
          if (wants(event)) yield event
        }
        if (ended.aborted) return
        position = page.reached
        if (page.more) continue
        const joining = createMember({ from: position, maxBuffered, wants, compare: source.compare })
        // the common reader may be ahead already
        if (!reader.join(joining, position)) continue
        member = joining
        track(joining.reached)
        for (;;) {
          const event = await joining.next()
          if (event === 'closed') return
          if (event === 'behind') break
          yield event
        }
        position = joining.reached()
        leave()
      }
    } finally {
      open.delete(end)
      end.abort()
    }
  }

  return {
    subscribe: async ({ after, filter = {}, signal }) => {
      if (stopped) throw new UnavailableError('the service is stopping: try again')
      if (open.size + starting >= maxReaders) {
        throw new CommandBusError(
          'RATE_LIMITED',
          `there are ${maxReaders} live readers already, as many as this process serves: try again later`,
        )
      }
      starting++
      const from = await startOf(after).finally(() => {
        starting--
      })
      const end = new AbortController()
      const close = (): void => end.abort()
      if (stopped || signal?.aborted) close()
      signal?.addEventListener('abort', close, { signal: end.signal })
      let reached = (): FeedPosition => from
      const iterator = iterate(from, filter, end, of => {
        reached = of
      })
      return { reached: () => reached(), close, [Symbol.asyncIterator]: () => iterator }
    },
    readers: () => open.size,
    following: reader.members,
    running: reader.running,
    stop: async () => {
      stopped = true
      for (const end of open) end.abort()
      open.clear()
      await reader.idle()
    },
  }
}
