import type { Pool } from 'pg'
import type { FeedPosition } from '../../application/ports/event-feed.ts'
import { loadCheckpoint } from './mirror.ts'
import { isAfter, parsePosition } from './records.ts'

/** What to wait for: an event by its place in its stream, or all events up to a position of the feed. */
export type AwaitedEvent = { readonly stream: string; readonly revision: number } | { readonly position: FeedPosition }

/** `late`: not within the time given; it will be dispatched all the same. */
export type Dispatched =
  | { readonly outcome: 'dispatched'; readonly msgId: string | null }
  | { readonly outcome: 'late' }

interface Waiter {
  readonly awaited: AwaitedEvent
  readonly resolve: (dispatched: Dispatched) => void
}

const POLL_MS = 25

/**
 * Waits for the mirror, whichever process applies to it: all who wait share one look at the database, taken when
 * somebody begins to wait, when this process has applied something, and every 25 ms.
 */
export const createWaiting = (pool: Pool, projection: string) => {
  const waiters = new Set<Waiter>()
  let timer: NodeJS.Timeout | null = null
  let first: NodeJS.Immediate | null = null
  let looking = false
  let again = false

  const settle = (waiter: Waiter, dispatched: Dispatched): void => {
    if (waiters.delete(waiter)) waiter.resolve(dispatched)
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

  const lookForPositions = async (asked: readonly Waiter[]): Promise<void> => {
    const positions = asked.flatMap(waiter => ('position' in waiter.awaited ? [{ waiter, ...waiter.awaited }] : []))
    const reached = positions.length === 0 ? null : await loadCheckpoint(pool, projection)
    if (reached === null) return
    for (const { waiter, position } of positions) {
      if (!isAfter(parsePosition(position), parsePosition(reached))) {
        settle(waiter, { outcome: 'dispatched', msgId: null })
      }
    }
  }

  const look = async (): Promise<void> => {
    again = looking
    if (looking || waiters.size === 0) return
    looking = true
    const asked = [...waiters]
    // while the database is away nothing is dispatched: the next look may find more
    await Promise.all([lookForEvents(asked), lookForPositions(asked)]).catch(() => {})
    looking = false
    if (again) void look()
    else plan()
  }

  /** Those who begin to wait in the same turn of the event loop look together: it may be there already. */
  const soon = (): void => {
    first ??= setImmediate(() => {
      first = null
      void look()
    })
  }

  const plan = (): void => {
    if (timer !== null || waiters.size === 0) return
    timer = setTimeout(() => {
      timer = null
      void look()
    }, POLL_MS)
  }

  return {
    /** Something was applied by this process. */
    applied: (): void => void look(),
    waitFor: (awaited: AwaitedEvent, { timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}) =>
      new Promise<Dispatched>(resolve => {
        const over = setTimeout(() => settle(waiter, { outcome: 'late' }), timeoutMs)
        const waiter: Waiter = {
          awaited,
          resolve: dispatched => {
            clearTimeout(over)
            resolve(dispatched)
          },
        }
        waiters.add(waiter)
        soon()
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
