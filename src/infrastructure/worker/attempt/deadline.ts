import { TransientCommandError } from '../../../application/commands/command-errors.ts'

/** A handler nobody gave a deadline has this one: it holds a slot, and maybe a connection, for as long as it runs. */
export const DEFAULT_TIMEOUT_MS = 900_000
export const MAX_TIMEOUT_MS = 2_147_483_647

/** Null and Infinity: no deadline. */
export type TimeoutMs = number | null

/** Whether this can be a deadline. */
export const isTimeout = (value: unknown): value is TimeoutMs =>
  value === null ||
  value === Number.POSITIVE_INFINITY ||
  (typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT_MS)

/** In milliseconds, or null: none. */
export const limitOf = (own: TimeoutMs | undefined, usual: TimeoutMs): number | null => {
  const given = own === undefined ? usual : own
  return given === null || given === Number.POSITIVE_INFINITY ? null : given
}

export interface Deadline {
  /** Runs the handler; rejects when it is cut off before it has ended. What it still does is not awaited. */
  readonly run: (handle: () => unknown) => Promise<unknown>
  /** It takes longer than most: only from now on is there a timer. */
  readonly watch: () => void
  /** Waits no longer for the handler; one that has not begun never does. */
  readonly cut: (error: Error) => void
  readonly end: () => void
}

/** Limits shorter than `unwatchedMs` have their timer at once. */
export const createDeadline = (
  limitMs: number | null,
  unwatchedMs: number,
  onLate: (error: Error) => void,
): Deadline => {
  let began: number | null = null
  let watched = limitMs !== null && limitMs <= unwatchedMs
  let timer: NodeJS.Timeout | null = null
  let reject: ((error: Error) => void) | null = null
  let cutBefore: Error | null = null

  const arm = (): void => {
    if (limitMs === null || began === null || !watched || timer !== null) return
    timer = setTimeout(
      () => onLate(new TransientCommandError('TIMEOUT', `the handler did not end within ${limitMs} ms`)),
      Math.max(0, limitMs - (performance.now() - began)),
    )
    // a handler that its stopped worker has given up does not keep the process
    timer.unref()
  }

  return {
    run: handle =>
      new Promise((resolve, fail) => {
        if (cutBefore !== null) throw cutBefore
        reject = fail
        began = performance.now()
        arm()
        Promise.resolve(handle()).then(resolve, fail)
      }),
    watch: () => {
      watched = true
      arm()
    },
    cut: error => {
      cutBefore ??= error
      reject?.(error)
    },
    end: () => {
      if (timer !== null) clearTimeout(timer)
    },
  }
}
