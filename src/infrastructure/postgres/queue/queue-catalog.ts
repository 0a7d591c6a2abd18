import { setTimeout as delay } from 'node:timers/promises'
import type { ClientBase, Pool } from 'pg'
import { BoundedMap } from '../../../application/shared/bounded-map.ts'
import { UnavailableError } from '../../../application/shared/errors.ts'
import { createKeyedQueue } from '../../../application/shared/keyed-queue.ts'
import { isLockTimeout, isRefusal } from '../connection/errors.ts'
import { lackOfPgmqRights } from './pgmq-rights.ts'

/** Adds to a refusal to make a queue which right is missing, and to which role. */
const withMissingRight = async (pool: Pool, cause: unknown): Promise<unknown> => {
  if (!isRefusal(cause)) return cause
  const lack = await lackOfPgmqRights(pool).catch(() => null)
  return lack === null ? cause : new UnavailableError(lack, { cause })
}

export interface EnsureOptions {
  /** Look again, because a queue that existed is gone. */
  readonly forget?: boolean
  /** The caller's transaction, which may have made the queue: others do not see it before the commit. */
  readonly within?: Pick<ClientBase, 'query'>
}

/** Remembers which queues exist, and makes missing ones: once a process, outside the callers' transactions. */
export interface QueueCatalog {
  readonly ensure: (queues: ReadonlySet<string>, options?: EnsureOptions) => Promise<void>
  readonly isKnown: (queue: string) => boolean
  /** Those of the queues that do not exist. */
  readonly unmade: (queues: ReadonlySet<string>) => Promise<readonly string[]>
  /** Like `ensure`, but waits only a moment for queues that others are making; gives those that do not exist by then. */
  readonly awaited: (queues: ReadonlySet<string>) => Promise<ReadonlySet<string>>
}

/** Connections that may wait at the same time for queues that others are making. */
const MAKERS = 2
/** Longer than making one takes. */
const A_MOMENT_MS = 300
const LONGEST_MAKING_MS = 10_000
const NONE: ReadonlySet<string> = new Set()

/** Does it again while it is not given a lock within the server's time; each try lets others come in between. */
export const withPatience = async <A>(work: () => Promise<A>): Promise<A> => {
  const began = performance.now()
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isLockTimeout(error) || performance.now() - began > LONGEST_MAKING_MS) throw error
    }
  }
}

/** How many names of queues are remembered; those used longest ago are looked up again. */
const REMEMBERED = 10_000

/**
 * @param pool not the pool whose connections callers and handlers hold while they wait for a queue; a holder of one of its
 * connections must not wait for a second one
 */
export const createQueueCatalog = (pool: Pool, remembered = REMEMBERED): QueueCatalog => {
  const known = new BoundedMap<string, true>(remembered)
  const making = new Map<string, Promise<void>>()
  const isThere = async (querier: Pick<ClientBase, 'query'>, queue: string): Promise<boolean> => {
    const { rows } = await querier.query('select 1 from pgmq.meta where queue_name = $1::text', [queue])
    return rows.length > 0
  }
  /** Queues that took longer than a moment: callers do not wait for them again. */
  const slow = new BoundedMap<string, true>(remembered)
  const inTurn = createKeyedQueue()
  let turn = 0
  const make = (queue: string): Promise<unknown> => pool.query('select command_bus_make_queue($1::text)', [queue])
  const makeOnce = (queue: string): Promise<void> => {
    const under = making.get(queue)
    if (under !== undefined) return under
    const made = inTurn(String(turn++ % MAKERS), () => make(queue))
      .catch(async error => {
        throw await withMissingRight(pool, error)
      })
      .then(() => {
        known.set(queue, true)
        slow.delete(queue)
      })
      .finally(() => making.delete(queue))
    making.set(queue, made)
    return made
  }
  const unmade = async (queues: ReadonlySet<string>): Promise<readonly string[]> => {
    const unknown = [...queues].filter(queue => !known.has(queue))
    if (unknown.length === 0) return unknown
    const { rows } = await pool
      .query<{ queue: string }>('select queue_name as queue from pgmq.meta where queue_name = any ($1::text[])', [
        unknown,
      ])
      .catch(async error => {
        throw await withMissingRight(pool, error)
      })
    const there = new Set(rows.map(({ queue }) => queue))
    for (const queue of there) known.set(queue, true)
    return unknown.filter(queue => !there.has(queue))
  }
  return {
    isKnown: queue => known.has(queue),
    unmade,
    ensure: async (queues, { forget = false, within } = {}) => {
      for (const queue of queues) {
        if (forget) known.delete(queue)
        // a queue that only this transaction sees is not remembered: it may be rolled back
        if (known.has(queue) || (within !== undefined && (await isThere(within, queue)))) continue
        await withPatience(() => makeOnce(queue))
      }
    },
    awaited: async queues => {
      const missing = await unmade(queues)
      if (missing.length === 0) return NONE
      // if it fails, the next caller that needs the queue tries again
      const making = missing.map(queue => makeOnce(queue))
      for (const one of making) one.catch(() => {})
      const hopeful = making.filter((_, i) => !slow.has(missing[i] as string))
      const moment = new AbortController()
      const over = delay(A_MOMENT_MS, undefined, { signal: moment.signal }).catch(() => {})
      await Promise.race([Promise.all(hopeful), over]).finally(() => moment.abort())
      const left = missing.filter(queue => !known.has(queue))
      for (const queue of left) slow.set(queue, true)
      return new Set(left)
    },
  }
}
