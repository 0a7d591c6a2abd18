import { TransientCommandError } from '../../../application/commands/command-errors.ts'

/** The default deadline: a handler holds a slot, and maybe a connection, for as long as it runs. */
export const DEFAULT_TIMEOUT_MS = 900_000
export const MAX_TIMEOUT_MS = 2_147_483_647

/** Null and Infinity: no deadline. */
export type TimeoutMs = number | null

/** Whether `value` is a valid deadline. */
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
  /** Runs the handler; rejects when the handler is cut off, and does not wait for it any longer. */
  readonly run: (handle: () => unknown) => Promise<unknown>
  /** Starts the timer. Called only for handlers that run longer than most. */
  readonly watch: () => void
  /** Stops waiting for the handler; one that has not begun never runs. */
  readonly cut: (error: Error) => void
  readonly end: () => void
}

/** A limit shorter than `unwatchedMs` starts its timer at once. */
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
    // a handler that a stopped worker gave up must not keep the process alive
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
