import type { Pool } from 'pg'
import type { FeedPosition } from '../../../application/ports/event-feed.ts'
import { loadCheckpoint } from '../../postgres/log/checkpoint.ts'
import { isAfter, parsePosition } from '../store/records.ts'

/** What to wait for: an event by its place in its stream, or all events up to a position of the feed. */
export type AwaitedEvent = { readonly stream: string; readonly revision: number } | { readonly position: FeedPosition }

/** `late`: not within the time given; it will be dispatched all the same. */
export type Dispatched =
  | { readonly outcome: 'dispatched'; readonly msgId: string | null }
  | { readonly outcome: 'late' }

/** An event that has its rows and messages. */
export interface Applied {
  readonly stream: string
  readonly revision: number
  readonly msgId: string | null
}

export interface WaitOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number
  /** It may have been dispatched long ago: look at once. */
  readonly mayBeOld?: boolean
}

interface Waiter {
  readonly awaited: AwaitedEvent
  readonly resolve: (dispatched: Dispatched) => void
}

/** Where another process applies the log. */
const POLL_MS = 25
/** Where this one does, and tells by itself. */
const SAFETY_MS = 500
/** Waiters of one look; the oldest go first. */
const LOOK = 500
/** Events that may be asked for after they were applied here: an append is answered about when its event arrives. */
const REMEMBERED = 2_000

/**
 * Waits for the mirror, whichever process applies to it. Where this one does, those who wait are told by what it has
 * applied; else all who wait share one look at the database, every 25 ms.
 */
export const createWaiting = (pool: Pool, projection: string, isFollowing: () => boolean) => {
  const waiters = new Set<Waiter>()
  const byEvent = new Map<string, Set<Waiter>>()
  const recent = new Map<string, string | null>()
  let timer: NodeJS.Timeout | null = null
  let first: NodeJS.Immediate | null = null
  let looking = false

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

  const lookForEvents = async (asked: readonly Waiter[]): Promise<void> => {
    const events = asked.flatMap(waiter => ('stream' in waiter.awaited ? [{ waiter, ...waiter.awaited }] : []))
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

  const reachedPosition = (asked: readonly Waiter[], reached: FeedPosition): void => {
    for (const waiter of asked) {
      const { awaited } = waiter
      if ('position' in awaited && !isAfter(parsePosition(awaited.position), parsePosition(reached))) {
        settle(waiter, { outcome: 'dispatched', msgId: null })
      }
    }
  }

  const lookForPositions = async (asked: readonly Waiter[]): Promise<void> => {
    const positions = asked.filter(({ awaited }) => 'position' in awaited)
    const reached = positions.length === 0 ? null : await loadCheckpoint(pool, projection)
    if (reached !== null) reachedPosition(positions, reached)
  }

  const look = async (): Promise<void> => {
    if (looking || waiters.size === 0) return
    looking = true
    const asked = [...waiters].slice(0, LOOK)
    // while the database is away nothing is dispatched: the next look may find more
    await Promise.all([lookForEvents(asked), lookForPositions(asked)]).catch(() => {})
    looking = false
    plan()
  }

  const plan = (): void => {
    if (timer !== null || waiters.size === 0) return
    timer = setTimeout(
      () => {
        timer = null
        void look()
      },
      isFollowing() ? SAFETY_MS : POLL_MS,
    )
  }

  /** Those who begin to wait in the same turn of the event loop look together: it may be there already. */
  const soon = (): void => {
    first ??= setImmediate(() => {
      first = null
      void look()
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
        // what was applied here a moment ago would be remembered
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
