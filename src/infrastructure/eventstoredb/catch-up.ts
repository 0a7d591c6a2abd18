import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Pool } from 'pg'
import type { FeedPosition } from '../../application/ports/event-feed.ts'
import { EventDecodeError } from '../../application/ports/event-store.ts'
import type { Log } from '../../application/ports/log.ts'
import { tryToLead } from '../postgres/leadership.ts'
import { createBackOff } from '../worker/back-off.ts'
import { type CatchUpHealth, type CatchUpState, healthOf } from './catch-up-health.ts'
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import { createEventStoreDbEventFeed, type EventStoreDbFeedOptions } from './event-feed.ts'
import { createFollow, messageOf } from './follow.ts'
import type { Follower } from './follower.ts'
import { createLag } from './lag.ts'
import { createMirror, type MirrorOptions } from './mirror.ts'
import { FaultedError } from './mirror-plan.ts'
import { probe } from './probe.ts'
import { type Subscription, subscribe } from './subscription.ts'
import { createWaiting } from './waiting.ts'

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

export interface CatchUp extends Follower {
  readonly start: () => void
  readonly stop: () => Promise<void>
}

class Stopped extends Error {}

/**
 * Follows the log and applies it to PostgreSQL: the mirror, rows, messages and the checkpoint of a batch in one
 * transaction. One process of the fleet does, the others stand by. Whatever fails, it begins again at the checkpoint.
 */
export const createCatchUp = <Event>(options: CatchUpOptions<Event>): CatchUp => {
  const { connection, codec, prefixes, projection, pool, log } = options
  const { batch = 500, probeMs = 1_000, standbyMs = 1_000, stallMs = 15_000 } = options
  const feed = createEventStoreDbEventFeed({ ...options, retryMs: 0 })
  const lag = createLag(() => performance.now())
  const backOff = createBackOff()

  let state: CatchUpState = 'stopped'
  let fault: CatchUpHealth['fault'] = null
  let position: FeedPosition | null = null
  let applied = 0
  let wellAt = 0
  let progressAt = 0
  let lastError = ''
  let running: Promise<void> | null = null
  let stopping = new AbortController()
  let current: Subscription | null = null
  const waiting = createWaiting(pool, projection, () => state === 'following')

  const enter = (next: CatchUpState): void => {
    if (state === 'following' || state === 'standby') wellAt = performance.now()
    state = next
  }

  const follow = createFollow({
    codec,
    prefixes,
    batch,
    apply: createMirror(options).apply,
    save: (client, reached) => saveCheckpoint(client, projection, reached),
    onMoved: (reached, events) => {
      position = reached
      applied += events.length
      progressAt = performance.now()
      lag.reached(reached)
      backOff.reset()
      waiting.applied(events, reached)
    },
  })

  const lead = async (): Promise<void> => {
    const leadership = await tryToLead(options.newClient, projection, error => current?.end(error))
    if (leadership === null) {
      enter('standby')
      await delay(standbyMs, undefined, { signal: stopping.signal })
      return
    }
    const over = new AbortController()
    let isConfirmed = false
    try {
      const after = await loadCheckpoint(leadership.client, projection)
      const reader = await connection.reader()
      if (stopping.signal.aborted) throw new Stopped()
      const onConfirmed = (): void => {
        isConfirmed = true
        progressAt = performance.now()
        enter('following')
        log.info({ projection, after }, 'this process follows the log')
      }
      const subscription = subscribe(reader, { after, prefixes, onConfirmed })
      current = subscription
      position = after
      progressAt = performance.now()
      lag.reset(after)
      const watched = {
        feed,
        lag,
        everyMs: probeMs,
        stallMs,
        progressAt: () => progressAt,
        isConfirmed: () => isConfirmed,
      }
      void probe(watched, over.signal, why => subscription.end(new Error(why)))
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
          enter('faulted')
          log.error({ err: error, projection, ...fault }, 'the projection is stopped: it cannot pass this event')
          return
        }
        enter('retrying')
        lastError = messageOf(error)
        log.warn({ err: error, projection }, 'the log is not followed; trying again')
        await delay(backOff.next(), undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }

  const start = (): void => {
    if (running !== null) return
    stopping = new AbortController()
    fault = null
    wellAt = performance.now()
    enter('starting')
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
      if (state === 'faulted') void Promise.resolve(running).then(start)
    },
    health: () =>
      healthOf({
        projection,
        state,
        fault,
        position,
        applied,
        lagMs: Math.round(lag.behindMs()),
        troubledMs: state === 'retrying' || state === 'starting' ? performance.now() - wellAt : 0,
        lastError,
      }),
    waitFor: waiting.waitFor,
  }
}
