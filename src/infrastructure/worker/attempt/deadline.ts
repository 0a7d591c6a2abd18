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

/** Receives how a handler ended, or that nobody waits for it any longer. Only the first call counts, and only one is made. */
export interface HandlerEnd {
  readonly returned: (value: unknown) => void
  readonly threw: (error: unknown) => void
}

/** The limit of one handler. A limit shorter than `unwatchedMs` starts its timer at once. */
export class Deadline {
  readonly #limitMs: number | null
  readonly #onLate: (error: Error) => void
  #began = 0
  #watched: boolean
  #timer: NodeJS.Timeout | null = null
  /** Null: the handler does not run. */
  #end: HandlerEnd | null = null
  #cutBy: Error | null = null

  constructor(limitMs: number | null, unwatchedMs: number, onLate: (error: Error) => void) {
    this.#limitMs = limitMs
    this.#onLate = onLate
    this.#watched = limitMs !== null && limitMs <= unwatchedMs
  }

  /** Runs the handler, unless it was cut off before. */
  run(handle: () => unknown, end: HandlerEnd): void {
    if (this.#cutBy !== null) {
      end.threw(this.#cutBy)
      return
    }
    this.#end = end
    this.#began = performance.now()
    this.#arm()
    resultOf(handle).then(
      value => this.#ended()?.returned(value),
      error => this.#ended()?.threw(error),
    )
  }

  /** Starts the timer. Called only for handlers that run longer than most. */
  watch(): void {
    this.#watched = true
    this.#arm()
  }

  /** Stops waiting for the handler; one that has not begun never runs. */
  cut(error: Error): void {
    this.#cutBy ??= error
    this.#ended()?.threw(error)
  }

  #ended(): HandlerEnd | null {
    const end = this.#end
    this.#end = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    return end
  }

  #arm(): void {
    const limitMs = this.#limitMs
    if (limitMs === null || this.#end === null || !this.#watched || this.#timer !== null) return
    this.#timer = setTimeout(
      () => this.#onLate(new TransientCommandError('TIMEOUT', `the handler did not end within ${limitMs} ms`)),
      Math.max(0, limitMs - (performance.now() - this.#began)),
    )
    // a handler that a stopped worker gave up must not keep the process alive
    this.#timer.unref()
  }
}

const resultOf = (handle: () => unknown): Promise<unknown> => {
  try {
    return Promise.resolve(handle())
  } catch (error) {
    return Promise.reject(error)
  }
}
