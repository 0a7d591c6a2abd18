import type { ClientBase } from 'pg'
import { type WatchDeps, watch } from '../../application/alerts/watch.ts'
import type { Post } from '../../application/ports/alerting/alert-store.ts'
import type { AlertWork, Attempt, AttemptOutcome } from '../../application/ports/alerting/alert-work.ts'
import type { Log } from '../../application/ports/log.ts'
import type { Leadership } from '../postgres/transactions/leadership.ts'
import type { WakeUp } from '../shared/wake-up.ts'
import { createLeader, type LeaderDeps } from './leader.ts'

export interface AlertLimits {
  /** The pause between two looks at what is wrong, in milliseconds. Default 5,000; longer where a look takes long. */
  readonly pollMs: number
  /** How often a process on standby tries to get the lock, in milliseconds. Default 1,000. */
  readonly standbyMs: number
  /** The waits after the attempts to send a webhook, in milliseconds; after one attempt more it is given up. */
  readonly waitsMs: readonly number[]
  /** How long a receiver may take to answer, in milliseconds; shorter than the first wait. Default 10,000. */
  readonly timeoutMs: number
}

const MINUTE = 60_000
/** Ten attempts within 17 hours. */
export const USUAL_WAITS_MS = [0.5, 1, 5, 15, 30, 60, 120, 240, 540].map(minutes => minutes * MINUTE)

interface AlertRunnerDeps extends LeaderDeps, Omit<WatchDeps, 'work'> {
  readonly workOn: (client: ClientBase) => AlertWork
  readonly post: Post
  readonly limits?: Partial<AlertLimits> | undefined
}

const LONGEST_PAUSE_MS = MINUTE
const CLEAN_MS = 60 * MINUTE

/** Sends the webhooks of all alerts. One process does so and the others are on standby. */
export const createAlertRunner = (deps: AlertRunnerDeps) => {
  const { post, log } = deps
  const { pollMs, standbyMs, waitsMs } = { pollMs: 5_000, standbyMs: 1_000, waitsMs: USUAL_WAITS_MS, ...deps.limits }
  const attempts = waitsMs.length + 1

  let changed = false

  const lead = async ({ client }: Leadership, signal: AbortSignal, bell: WakeUp): Promise<void> => {
    const work = deps.workOn(client)
    const underWay = new Map<string, Attempt>()
    const sending = new Set<Promise<void>>()
    const ended: AttemptOutcome[] = []
    let lookAt = 0
    let cleanAt = 0

    /** One that waits for its receiver keeps no other waiting. */
    const begin = (one: Attempt): void => {
      underWay.set(one.id, one)
      const sent = send(one, signal).then(outcome => {
        ended.push(outcome)
        sending.delete(sent)
        bell.wake()
      })
      sending.add(sent)
    }
    // until its end is written down, it is under way, so that it is not sent again
    const writeEnds = async (): Promise<void> => {
      const outcomes = ended.splice(0)
      if (outcomes.length > 0) await work.end(outcomes)
      for (const { id } of outcomes) underWay.delete(id)
    }

    while (!signal.aborted) {
      await writeEnds()
      const begun = performance.now()
      if (begun >= lookAt || changed) {
        changed = false
        await watch({ ...deps, work })
        const took = performance.now() - begun
        lookAt = begun + Math.min(LONGEST_PAUSE_MS, Math.max(pollMs, took * 10))
      }
      if (begun >= cleanAt) {
        await work.clean()
        cleanAt = begun + CLEAN_MS
      }
      for (const one of await work.begin(waitsMs, [...underWay.values()])) begin(one)
      await bell.wait(pollMs)
    }
    await Promise.all(sending)
    await writeEnds()
  }

  const send = async (one: Attempt, signal: AbortSignal): Promise<AttemptOutcome> => {
    const { id, attempt } = one
    // its process died in the last attempt
    const error = attempt > attempts ? 'the last attempt did not end' : await post(one, id, one.body, signal)
    const last = attempt >= attempts
    report(log, one, error, last)
    return { id, attempt, error, last }
  }

  const leader = createLeader(deps, {
    lock: 'alerts',
    standbyMs,
    warning: 'alerts are not sent now; trying again',
    lead,
  })
  return {
    ...leader,
    /** Looks at once, as an alert was changed. */
    wake: (): void => {
      changed = true
      leader.wake()
    },
  }
}

const report = (log: Log, { name: alert, id, attempt }: Attempt, error: string | null, last: boolean): void => {
  if (error === null) log.info({ alert, id, attempt }, 'an alert was sent')
  else if (last) log.error({ alert, id, attempt, why: error }, 'an alert was given up')
  else log.warn({ alert, id, attempt, why: error }, 'an alert was not sent; trying again')
}
