import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Pool } from 'pg'
import type { Log } from '../../application/ports/log.ts'
import { type Leadership, tryToLead } from '../postgres/transactions/leadership.ts'
import { createBackOff } from '../shared/back-off.ts'
import { createWakeUp, type WakeUp } from '../shared/wake-up.ts'

export interface LeaderDeps {
  readonly pool: Pool
  /** Makes the connection for the lock. */
  readonly newClient: () => Client
  readonly log: Log
}

export interface LeaderOptions {
  /** The name of the lock. */
  readonly lock: string
  /** How often a process on standby tries to get the lock, in milliseconds. */
  readonly standbyMs: number
  /** Logged when the work fails or the lock is lost. */
  readonly warning: string
  /** The work, until `signal` is aborted. `bell` is rung then, and by `wake`. */
  readonly lead: (leadership: Leadership, signal: AbortSignal, bell: WakeUp) => Promise<void>
}

/** Work that one process of the fleet does while the others stand by. */
export const createLeader = ({ pool, newClient, log }: LeaderDeps, options: LeaderOptions) => {
  const { lock, standbyMs, warning, lead } = options
  const bells = new Set<WakeUp>()
  const closing = new AbortController()
  const underWay = new Set<Promise<unknown>>()

  const leadWith = async (leadership: Leadership, signal: AbortSignal): Promise<void> => {
    const bell = createWakeUp()
    bells.add(bell)
    signal.addEventListener('abort', bell.wake)
    try {
      await lead(leadership, signal, bell)
    } finally {
      signal.removeEventListener('abort', bell.wake)
      bells.delete(bell)
      await leadership.release()
    }
  }

  const runAll = async (signal: AbortSignal): Promise<void> => {
    const backOff = createBackOff()
    while (!signal.aborted) {
      try {
        const lost = new AbortController()
        const leadership = await tryToLead(pool, newClient, lock, error => lost.abort(error))
        if (leadership === null) {
          await delay(standbyMs, undefined, { signal }).catch(() => {})
          continue
        }
        backOff.reset()
        await leadWith(leadership, AbortSignal.any([signal, lost.signal]))
        if (lost.signal.aborted) throw lost.signal.reason
      } catch (error) {
        if (signal.aborted) return
        log.warn({ err: error }, warning)
        await delay(backOff.next(), undefined, { signal }).catch(() => {})
      }
    }
  }

  return {
    /** Does the work, or stands by, until `signal` is aborted. */
    run: (signal?: AbortSignal): Promise<void> => {
      const run = runAll(signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]))
      underWay.add(run)
      return run.finally(() => underWay.delete(run))
    },
    /** Rings the bell of the work. */
    wake: (): void => {
      for (const bell of bells) bell.wake()
    },
    /** Ends the work, and waits until it has ended. */
    close: async (): Promise<void> => {
      closing.abort()
      await Promise.allSettled([...underWay])
    },
  }
}
