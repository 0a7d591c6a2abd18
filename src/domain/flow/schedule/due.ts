import { firstTimes, lastTimes, type NextTime } from './times.ts'

/** What happens with missed times: nothing, one command for all of them, or one for each. */
export const missedRules = ['skip', 'once', 'all'] as const
export type Missed = (typeof missedRules)[number]

/** Whether a time is passed over while the command of the time before has not ended. */
export const overlapRules = ['allow', 'skip'] as const
export type Overlap = (typeof overlapRules)[number]

/**
 * A time that is sent later than this was missed: no process was there. Less is the time in which another process takes
 * over, and is sent in any case.
 */
export const MISSED_AFTER_MS = 60_000

/** The most commands of one schedule that are sent at once. */
export const MAX_MISSED = 1_000

export interface DueRules {
  readonly missed: Missed
  readonly maxMissed: number
  readonly overlap: Overlap
}

/** What is to be done about the times up to an instant. All of them are handled by it. */
export interface Due {
  /** The times to send, in their order. */
  readonly send: readonly number[]
  /** The last time that is not sent; null: all are. */
  readonly passedOver: number | null
}

/**
 * The times after `handledUntil` that have come by `now`; null: none has.
 * @param isOpen the command of the time before has not ended
 */
export const dueTimes = (
  rules: DueRules,
  next: NextTime,
  { handledUntil, now, isOpen }: { readonly handledUntil: number; readonly now: number; readonly isOpen: boolean },
): Due | null => {
  const [oldest] = firstTimes(next, handledUntil, 1, now)
  if (oldest === undefined) return null
  const most = now - oldest > MISSED_AFTER_MS ? mostMissed(rules) : MAX_MISSED
  const last = lastTimes(next, handledUntil, now, most + 1)
  const wanted = most === 0 ? [] : last.slice(-most)
  const send = rules.overlap === 'allow' ? wanted : isOpen ? [] : wanted.slice(0, 1)
  const left = last.filter(time => !send.includes(time))
  return { send, passedOver: left.at(-1) ?? null }
}

const mostMissed = ({ missed, maxMissed }: DueRules): number => {
  switch (missed) {
    case 'skip':
      return 0
    case 'once':
      return 1
    case 'all':
      return maxMissed
  }
}
