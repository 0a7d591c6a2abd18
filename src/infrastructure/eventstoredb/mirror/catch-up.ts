import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Pool } from 'pg'
import type { FeedPosition } from '../../../application/ports/event-feed.ts'
import { EventDecodeError } from '../../../application/ports/event-store.ts'
import type { Log } from '../../../application/ports/log.ts'
import { loadCheckpoint, saveCheckpoint } from '../../postgres/log/checkpoint.ts'
import { tryToLead } from '../../postgres/transactions/leadership.ts'
import { createBackOff } from '../../shared/back-off.ts'
import { createEventStoreDbEventFeed, type EventStoreDbFeedOptions } from '../store/event-feed.ts'
import { beginningsOf, isAfter, parsePosition } from '../store/records.ts'
import { type Subscription, subscribe } from '../store/subscription.ts'
import { type CatchUpHealth, type CatchUpState, healthOf } from './catch-up-health.ts'
import { createFollow, messageOf } from './follow.ts'
import type { Follower } from './follower.ts'
import { createLag } from './lag.ts'
import { createMirror, isMirrored, type MirrorOptions } from './mirror.ts'
import { FaultedError } from './mirror-plan.ts'
import { createPassedOver } from './passed-over.ts'
import { probe } from './probe.ts'
import { createWaiting } from './waiting.ts'
import { assertSamePrefix } from './whose-log.ts'

export interface CatchUpOptions<Event>
  extends EventStoreDbFeedOptions<Event>,
    Omit<MirrorOptions<Event>, 'codec' | 'streamPrefix'> {
  readonly pool: Pool
  /** Makes the connection for the lock and the transactions. */
  readonly newClient: () => Client
  readonly log: Log
  /** The most events in one transaction. Default 500. */
  readonly batch?: number
  /** How often the end of the log is read, in milliseconds. Default 1,000. */
  readonly probeMs?: number
  /** How often a process on standby tries to get the lock, in milliseconds. Default 1,000. */
  readonly standbyMs?: number
  /** A subscription that lags and brings nothing for this long is reopened, in milliseconds. Default 15,000. */
  readonly stallMs?: number
}

export interface CatchUp extends Follower {
  readonly start: () => void
  readonly stop: () => Promise<void>
}

class Stopped extends Error {}

/** How often a process on standby checks that another one follows the log. */
const STANDBY_CHECK_MS = 5_000

/**
 * Follows the log and applies it to PostgreSQL: the mirror, rows, messages and checkpoint of a batch in one transaction. One
 * process does so and the others are on standby. After any failure it starts again at the checkpoint.
 */
export const createCatchUp = <Event>(options: CatchUpOptions<Event>): CatchUp => {
  const { connection, codec, prefixes, streamPrefix = '', projection, pool, log } = options
  const { batch = 500, probeMs = 1_000, standbyMs = 1_000, stallMs = 15_000 } = options
  const feed = createEventStoreDbEventFeed({ ...options, retryMs: 0 })
  const lag = createLag(() => performance.now())
  const backOff = createBackOff()

  let state: CatchUpState = 'stopped'
  let fault: CatchUpHealth['fault'] = null
  let position: FeedPosition | null = null
  let applied = 0
  /** The last failure may not be over yet. */
  let isTroubled = false
  let wellAt = 0
  let answeredAt = 0
  let progressAt = 0
  let lastError = ''
  let running: Promise<void> | null = null
  let stopping = new AbortController()
  let resumed = new AbortController()
  let current: Subscription | null = null
  const waiting = createWaiting(pool, projection, () => state === 'following')

  const passedOver = createPassedOver(log)
  const isWell = (): boolean => (state === 'following' || state === 'standby') && !isTroubled

  const enter = (next: CatchUpState): void => {
    if (isWell()) wellAt = performance.now()
    state = next
    isTroubled ||= next === 'retrying' || next === 'faulted'
  }

  const saw = (head: FeedPosition | null): void => {
    answeredAt = performance.now()
    lag.saw(head)
    if (!lag.isBehind()) isTroubled = false
  }

  /** On standby: measures how far the mirror is behind the log. */
  const checkLag = async (): Promise<void> => {
    const isQuiet = !isTroubled && !lag.isBehind()
    if (isQuiet && performance.now() - answeredAt < STANDBY_CHECK_MS) return
    // the head first: then a mirror that is up to date has always reached it
    const head = await feed.head()
    const reached = await loadCheckpoint(pool, projection)
    if (reached !== null) lag.reached(reached)
    saw(head)
  }

  /** Rejects once this is stopped, so that nobody waits for work that hangs. */
  const orStopped = <A>(work: Promise<A>): Promise<A> => {
    const { signal } = stopping
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(new Stopped())
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort)
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    })
  }

  const follow = createFollow({
    codec,
    streamPrefix,
    prefixes,
    batch,
    apply: createMirror(options).apply,
    save: (client, reached) => saveCheckpoint(client, projection, reached, streamPrefix),
    isMirrored,
    onPassedOver: passedOver.note,
    onMoved: (reached, events) => {
      isTroubled = false
      position = reached
      applied += events.length
      progressAt = performance.now()
      lag.reached(reached)
      backOff.reset()
      waiting.applied(events, reached)
    },
  })

  const lead = async (): Promise<void> => {
    const leadership = await tryToLead(pool, options.newClient, projection, error => current?.end(error))
    if (leadership === null) {
      if (state !== 'standby') answeredAt = performance.now()
      await orStopped(checkLag())
      enter('standby')
      await delay(standbyMs, undefined, { signal: stopping.signal })
      return
    }
    const over = new AbortController()
    let isConfirmed = false
    try {
      await assertSamePrefix(leadership.client, streamPrefix)
      const after = await loadCheckpoint(leadership.client, projection)
      const reader = await connection.reader()
      if (stopping.signal.aborted) throw new Stopped()
      const onConfirmed = (): void => {
        isConfirmed = true
        progressAt = performance.now()
        enter('following')
        log.info({ projection, after }, 'this process follows the log')
      }
      const subscription = subscribe(reader, { after, beginnings: beginningsOf(options), onConfirmed })
      current = subscription
      position = after
      progressAt = performance.now()
      answeredAt = progressAt
      lag.reset(after)
      const watched = {
        feed,
        lag,
        onHead: saw,
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

  /** Waits until `resume`, or until another process (maybe of a newer version) has passed the event. */
  const untilPassed = async (): Promise<void> => {
    resumed = new AbortController()
    const signal = AbortSignal.any([resumed.signal, stopping.signal])
    while (!signal.aborted) {
      await delay(standbyMs, undefined, { signal }).catch(() => {})
      const reached = await loadCheckpoint(pool, projection).catch(() => null)
      if (reached !== null && (position === null || isAfter(parsePosition(reached), parsePosition(position)))) return
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
          log.error({ err: error, projection, ...fault }, 'the projection is stopped: this event cannot be applied')
          await untilPassed()
          fault = null
          enter('starting')
          continue
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
    isTroubled = false
    wellAt = performance.now()
    answeredAt = wellAt
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
    resume: () => resumed.abort(),
    health: () =>
      healthOf({
        projection,
        state,
        fault,
        position,
        applied,
        passedOver: passedOver.count(),
        lagMs: Math.round(lag.behindMs()),
        troubledMs: state === 'stopped' || isWell() ? 0 : performance.now() - wellAt,
        unansweredMs: state === 'following' ? performance.now() - answeredAt : 0,
        lastError,
      }),
    waitFor: waiting.waitFor,
  }
}
