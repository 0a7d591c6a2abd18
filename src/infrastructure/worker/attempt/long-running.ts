import type { Clock } from '../../../application/ports/clock.ts'
import type { Run } from './run.ts'

export interface LongRunningOptions {
  /** Attempts whose handler has not ended. */
  readonly handling: ReadonlySet<Run>
  readonly concurrency: number
  /** Handlers that run longer are reported. */
  readonly limitMs: number
  readonly clock: Clock
}

export interface HeldUp {
  readonly reasons: readonly string[]
  /** They hold all slots, and no `timeoutMs` of theirs allows for it. */
  readonly critical: boolean
}

const NAMED = 3

/** Reports which handlers run longer than they should. */
export const createLongRunning =
  ({ handling, concurrency, limitMs, clock }: LongRunningOptions) =>
  (): HeldUp => {
    const now = performance.now()
    const long = [...handling].filter(run => now - run.began >= limitMs)
    if (long.length === 0) return { reasons: [], critical: false }
    const named = long.slice(0, NAMED).map(({ job, began }) => {
      const since = new Date(clock.now().getTime() - (now - began)).toISOString()
      return `${job.command.sent.commandType} (${job.key.commandId}, since ${since})`
    })
    const more = long.length > NAMED ? ` and ${long.length - NAMED} more` : ''
    const many = `${long.length} of ${concurrency} handlers run`
    return {
      reasons: [`${many} longer than ${timeText(limitMs)}: ${named.join(', ')}${more}`],
      critical: long.filter(run => now - run.began >= run.expectedMs).length >= concurrency,
    }
  }

const timeText = (ms: number): string => {
  if (ms % 60_000 === 0) return `${ms / 60_000} min`
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`
}
