import type { Pool } from 'pg'
import type { FeedPosition } from '../../../application/ports/event-feed.ts'
import { loadCheckpoint } from '../../postgres/log/checkpoint.ts'
import { isAfter, parsePosition } from '../store/records.ts'

/** What to wait for: an event by its stream and revision, or all events up to a position of the feed. */
export type AwaitedEvent = { readonly stream: string; readonly revision: number } | { readonly position: FeedPosition }

/** `late`: not in time, but it will still be dispatched. */
export type Dispatched =
  | { readonly outcome: 'dispatched'; readonly msgId: string | null }
  | { readonly outcome: 'late' }

/** An event that has its rows and messages. */
export interface Applied {
  readonly stream: string
  readonly revision: number
  readonly msgId: string | null
}

/** How long to wait until an event has reached PostgreSQL, in milliseconds. */
export interface WaitOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number
  /** It may have been dispatched long ago: polls at once. */
  readonly mayBeOld?: boolean
}

interface Waiter {
  readonly awaited: AwaitedEvent
  readonly resolve: (dispatched: Dispatched) => void
}

/** While another process applies the log. */
const POLL_MS = 25
/** While this process does, and resolves its waiters itself. */
const SAFETY_MS = 500
/** The most waiters of one poll; the oldest go first. */
const POLL_LIMIT = 500
/** How many applied events are remembered, as an event may arrive before the answer to its append. */
const REMEMBERED = 2_000

/**
 * Waits until events are in the mirror. If this process applies the log, it resolves its waiters itself; otherwise one poll of
 * the database every 25 ms serves all of them.
 */
export const createWaiting = (pool: Pool, projection: string, isFollowing: () => boolean) => {
  const waiters = new Set<Waiter>()
  const byEvent = new Map<string, Set<Waiter>>()
  const recent = new Map<string, string | null>()
  let timer: NodeJS.Timeout | null = null
  let first: NodeJS.Immediate | null = null
  let polling = false

  const keyOf = (awaited: AwaitedEvent): string | null =>
    'stream' in awaited ? `${awaited.revision} ${awaited.stream}` : null

  const settle = (waiter: Waiter, dispatched: Dispatched): void => {
    if (!waiters.delete(waiter)) return
    const key = keyOf(waiter.awaited)
    const beside = key === null ? undefined : byEvent.get(key)
    beside?.delete(waiter)
    if (key !== null && beside?.size === 0) byEvent.delete(key)
    waiter.resolve(dispatched)
  }

  const settleByEvent = async (polled: readonly Waiter[]): Promise<void> => {
    const events = polled.flatMap(waiter => ('stream' in waiter.awaited ? [{ waiter, ...waiter.awaited }] : []))
    if (events.length === 0) return
    const { rows } = await pool.query({
      name: 'command_bus_dispatched',
      text: `select x.place::int, e.msg_id from unnest($1::text[], $2::bigint[]) with ordinality x(stream, revision, place)
             join command_bus_event e on e.stream = x.stream collate "C" and e.revision = x.revision`,
      values: [events.map(({ stream }) => stream), events.map(({ revision }) => revision)],
    })
    for (const { place, msg_id } of rows) {
      const found = events[place - 1]
      if (found !== undefined) settle(found.waiter, { outcome: 'dispatched', msgId: msg_id })
    }
  }

  const reachedPosition = (polled: readonly Waiter[], reached: FeedPosition): void => {
    for (const waiter of polled) {
      const { awaited } = waiter
      if ('position' in awaited && !isAfter(parsePosition(awaited.position), parsePosition(reached))) {
        settle(waiter, { outcome: 'dispatched', msgId: null })
      }
    }
  }

  const settleByPosition = async (polled: readonly Waiter[]): Promise<void> => {
    const positions = polled.filter(({ awaited }) => 'position' in awaited)
    const reached = positions.length === 0 ? null : await loadCheckpoint(pool, projection)
    if (reached !== null) reachedPosition(positions, reached)
  }

  const poll = async (): Promise<void> => {
    if (polling || waiters.size === 0) return
    polling = true
    const polled = [...waiters].slice(0, POLL_LIMIT)
    // a failed poll is repeated by the next one
    await Promise.all([settleByEvent(polled), settleByPosition(polled)]).catch(() => {})
    polling = false
    plan()
  }

  const plan = (): void => {
    if (timer !== null || waiters.size === 0) return
    timer = setTimeout(
      () => {
        timer = null
        void poll()
      },
      isFollowing() ? SAFETY_MS : POLL_MS,
    )
  }

  /** One poll for all that begin to wait in the same turn of the event loop: their events may be there already. */
  const soon = (): void => {
    first ??= setImmediate(() => {
      first = null
      void poll()
    })
  }

  return {
    /** This process has applied these events, and is now at this position. */
    applied: (events: readonly Applied[], position: FeedPosition): void => {
      for (const event of events) {
        const key = keyOf(event) as string
        recent.set(key, event.msgId)
        for (const waiter of [...(byEvent.get(key) ?? [])]) {
          settle(waiter, { outcome: 'dispatched', msgId: event.msgId })
        }
      }
      for (const key of recent.keys()) {
        if (recent.size <= REMEMBERED) break
        recent.delete(key)
      }
      if (byEvent.size < waiters.size) reachedPosition([...waiters], position)
    },
    waitFor: (awaited: AwaitedEvent, { timeoutMs = 10_000, mayBeOld = true }: WaitOptions = {}) =>
      new Promise<Dispatched>(resolve => {
        const key = keyOf(awaited)
        const known = key === null ? undefined : recent.get(key)
        if (known !== undefined) {
          resolve({ outcome: 'dispatched', msgId: known })
          return
        }
        const over = setTimeout(() => settle(waiter, { outcome: 'late' }), timeoutMs)
        const waiter: Waiter = {
          awaited,
          resolve: dispatched => {
            clearTimeout(over)
            resolve(dispatched)
          },
        }
        waiters.add(waiter)
        if (key !== null) byEvent.set(key, (byEvent.get(key) ?? new Set()).add(waiter))
        // an event that was applied here a moment ago would be remembered
        if (isFollowing() && key !== null && !mayBeOld) plan()
        else soon()
      }),
    stop: (): void => {
      if (timer !== null) clearTimeout(timer)
      if (first !== null) clearImmediate(first)
      timer = null
      first = null
      for (const waiter of [...waiters]) settle(waiter, { outcome: 'late' })
    },
  }
}
