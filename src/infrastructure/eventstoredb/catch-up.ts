import { setTimeout as delay } from 'node:timers/promises'
import type { Client, ClientBase, Pool } from 'pg'
import type { FeedPosition } from '../../application/ports/event-feed.ts'
import { EventDecodeError } from '../../application/ports/event-store.ts'
import type { Log } from '../../application/ports/log.ts'
import { createBackOff } from '../worker/back-off.ts'
import { type CatchUpHealth, type CatchUpState, healthOf } from './catch-up-health.ts'
import { createEventStoreDbEventFeed, type EventStoreDbFeedOptions } from './event-feed.ts'
import { createLag } from './lag.ts'
import { tryToLead } from './leadership.ts'
import { createMirror, loadCheckpoint, type MirrorOptions, saveCheckpoint } from './mirror.ts'
import { type Arrived, FaultedError } from './mirror-plan.ts'
import { feedEventOf, isOurs, storedOf } from './records.ts'
import { type Subscription, subscribe } from './subscription.ts'
import { type AwaitedEvent, createWaiting, type Dispatched } from './waiting.ts'

export interface CatchUpOptions<Event> extends EventStoreDbFeedOptions<Event>, Omit<MirrorOptions<Event>, 'codec'> {
  readonly pool: Pool
  /** A connection of its own, for the lock and the transactions. */
  readonly newClient: () => Client
  readonly log: Log
  /** Events of one transaction at the most. Default 500. */
  readonly batch?: number
  /** How often the end of the log is looked at, in milliseconds. Default 1,000. */
  readonly probeMs?: number
  /** How often a process that stands by tries for the lock, in milliseconds. Default 1,000. */
  readonly standbyMs?: number
  /** A subscription that lags and brings nothing for so long is opened anew, in milliseconds. Default 15,000. */
  readonly stallMs?: number
}

export interface CatchUp {
  readonly start: () => void
  readonly stop: () => Promise<void>
  /** Goes on after a fault whose cause is mended. */
  readonly resume: () => void
  readonly health: () => CatchUpHealth
  /** Waits until an event has its rows and messages, whichever process applies it. */
  readonly waitFor: (awaited: AwaitedEvent, options?: { readonly timeoutMs?: number }) => Promise<Dispatched>
}

class Stopped extends Error {}

/**
 * Follows the log and applies it to PostgreSQL: the mirror, rows, messages and the checkpoint of a batch in one
 * transaction. One process of the fleet does, the others stand by. Whatever fails, it begins again at the checkpoint.
 */
export const createCatchUp = <Event>(options: CatchUpOptions<Event>): CatchUp => {
  const { connection, codec, prefixes, projection, pool, log } = options
  const { batch = 500, probeMs = 1_000, standbyMs = 1_000, stallMs = 15_000 } = options
  const mirror = createMirror(options)
  const feed = createEventStoreDbEventFeed({ ...options, retryMs: 0 })
  const waiting = createWaiting(pool, projection)
  const lag = createLag(() => performance.now())
  const backOff = createBackOff()

  let state: CatchUpState = 'stopped'
  let fault: CatchUpHealth['fault'] = null
  let position: FeedPosition | null = null
  let applied = 0
  let well = performance.now()
  let progress = performance.now()
  let lastError: string | null = null
  let running: Promise<void> | null = null
  let stopping = new AbortController()
  let current: Subscription | null = null

  const moveTo = (reached: FeedPosition): void => {
    position = reached
    progress = performance.now()
    lag.reached(reached)
    backOff.reset()
  }

  /** Smaller and smaller pieces, until the one event that cannot be applied stands alone. */
  const apply = async (client: ClientBase, events: readonly Arrived<Event>[]): Promise<void> => {
    let size = events.length
    for (let done = 0; done < events.length; ) {
      const piece = events.slice(done, done + size)
      const [first] = piece
      if (first === undefined) return
      try {
        await mirror.apply(client, piece)
      } catch (error) {
        if (!isOfData(error)) throw error
        if (piece.length === 1) {
          const { stream, revision } = first.event
          throw new FaultedError(stream, revision, `PostgreSQL refuses it: ${messageOf(error)}`, { cause: error })
        }
        size = Math.ceil(piece.length / 2)
        continue
      }
      done += piece.length
      applied += piece.length
      moveTo((piece.at(-1) ?? first).event.position)
      waiting.applied()
    }
  }

  const follow = async (client: ClientBase, subscription: Subscription): Promise<never> => {
    let saved = performance.now()
    for (;;) {
      const arrival = await subscription.next(batch)
      if (arrival.kind === 'checkpoint') {
        moveTo(arrival.position)
        // passing over what is not ours costs a write a second, not one for each stretch
        if (performance.now() - saved < probeMs) continue
        await saveCheckpoint(client, projection, arrival.position)
        saved = performance.now()
        continue
      }
      const events: Arrived<Event>[] = []
      let unreadable: EventDecodeError | null = null
      for (const record of arrival.events) {
        if (!isOurs(record, prefixes)) continue
        try {
          events.push({ event: feedEventOf(codec, record), stored: storedOf(record) })
        } catch (error) {
          if (!(error instanceof EventDecodeError)) throw error
          unreadable = error
          break
        }
      }
      await apply(client, events)
      if (unreadable !== null) throw unreadable
    }
  }

  /** Looks at the end of the log: how far behind we are, and whether the subscription still lives. */
  const probe = async (subscription: Subscription, over: AbortSignal): Promise<void> => {
    while (!over.aborted) {
      const head = await feed.head().catch(() => null)
      if (over.aborted) return
      lag.saw(head)
      const idle = performance.now() - progress
      if (lag.behindMs() > stallMs && idle > stallMs) {
        subscription.end(new Error(`the subscription has brought nothing for ${Math.round(idle)} ms`))
      }
      await delay(probeMs, undefined, { signal: over }).catch(() => {})
    }
  }

  const lead = async (): Promise<void> => {
    const onLost = (error: Error): void => current?.end(error)
    const leadership = await tryToLead(options.newClient, projection, onLost)
    if (leadership === null) {
      state = 'standby'
      well = performance.now()
      await delay(standbyMs, undefined, { signal: stopping.signal })
      return
    }
    const over = new AbortController()
    try {
      const after = await loadCheckpoint(leadership.client, projection)
      const subscription = subscribe(await connection.reader(), { after, prefixes })
      current = subscription
      if (stopping.signal.aborted) throw new Stopped()
      state = 'following'
      position = after
      progress = performance.now()
      lag.reset(after)
      log.info({ projection, after }, 'this process follows the log')
      void probe(subscription, over.signal)
      await follow(leadership.client, subscription)
    } finally {
      over.abort()
      current?.end(new Stopped())
      current = null
      lag.reset(null)
      await leadership.release()
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await lead()
      } catch (error) {
        if (stopping.signal.aborted) return
        if (error instanceof FaultedError || error instanceof EventDecodeError) {
          fault = { stream: error.stream, revision: error.revision, message: error.message }
          state = 'faulted'
          log.error({ err: error, projection, ...fault }, 'the projection is stopped: it cannot pass this event')
          return
        }
        if (state !== 'retrying') well = performance.now()
        state = 'retrying'
        lastError = messageOf(error)
        log.warn({ err: error, projection }, 'the log is not followed; trying again')
        await delay(backOff.next(), undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }

  const start = (): void => {
    if (running !== null) return
    stopping = new AbortController()
    state = 'starting'
    fault = null
    well = performance.now()
    running = run().finally(() => {
      running = null
    })
  }

  return {
    start,
    stop: async () => {
      stopping.abort()
      current?.end(new Stopped())
      await running
      waiting.stop()
      state = 'stopped'
    },
    resume: () => {
      if (state === 'faulted') start()
    },
    health: () =>
      healthOf({
        projection,
        state,
        fault,
        position,
        applied,
        lagMs: Math.round(lag.behindMs()),
        troubledMs: state === 'retrying' || state === 'starting' ? performance.now() - well : 0,
        lastError,
      }),
    waitFor: waiting.waitFor,
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The statement itself is refused, and will be every time: a value, a constraint, a function that raises. */
const isOfData = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && /^(22|23|P0)/.test(String(error.code))
