import { isLeft } from 'fp-ts/lib/Either.js'
import type { ClientBase } from 'pg'
import type { Outcome } from '../../../application/commands/attempt-turns.ts'
import type { WorkItem } from '../../../application/commands/work-message.ts'
import type { Attempt } from '../../../application/ports/telemetry.ts'
import type { HideValues } from '../../../application/sensitive/hide-values.ts'
import { faultsOf } from '../../codec/json.ts'
import type { MapError } from '../failures/failures.ts'
import { Deadline, type HandlerEnd, limitOf, type TimeoutMs } from './deadline.ts'
import type { AnyHandler } from './handler.ts'
import { type Abortable, type ContextDeps, JobContext } from './job-context.ts'
import { failedWith, refused } from './outcomes.ts'
import { RECEIPT_AFTER_MS } from './run.ts'

export interface CallDeps extends ContextDeps {
  readonly mapError: MapError | undefined
  /** The deadline of handlers that have none of their own. */
  readonly timeoutMs: TimeoutMs
}

/** A handler's call for one work item, with its deadline and its signal to stop. */
export class HandlerCall implements Abortable {
  readonly #deps: CallDeps
  readonly #job: WorkItem
  readonly #handler: AnyHandler
  readonly #deadline: Deadline
  #data: unknown
  #isLate = false
  #controller: AbortController | null = null

  constructor(deps: CallDeps, job: WorkItem, handler: AnyHandler) {
    this.#deps = deps
    this.#job = job
    this.#handler = handler
    this.#data = job.command.data
    this.#deadline = new Deadline(limitOf(handler.timeoutMs, deps.timeoutMs), RECEIPT_AFTER_MS, error =>
      this.cutOff(error),
    )
  }

  /** Decodes the payload. Returns how to describe the outcome of an attempt whose handler cannot begin; null: it can. */
  decode(): ((hide: HideValues) => Outcome) | null {
    const { payload } = this.#handler
    if (payload === undefined) return null
    try {
      const decoded = payload.decode(this.#data)
      if (isLeft(decoded)) {
        const faults = faultsOf(decoded.left).join('; ')
        return hide => refused('INVALID_PAYLOAD', `the payload does not fit: ${faults}`, hide)
      }
      this.#data = decoded.right
      return null
    } catch (thrown) {
      return hide => failedWith(thrown, this.#deps.mapError, hide)
    }
  }

  /** Runs the handler in the trace of `attempt`. */
  run(attempt: Attempt, client: ClientBase | null, end: HandlerEnd): void {
    const call = (): unknown =>
      this.#handler.handle(this.#data, new JobContext(this.#deps, this.#job, this.#data, this, client))
    this.#deadline.run(() => attempt.run(call), end)
  }

  /** It runs longer than most: from now on its deadline is watched. */
  watch(): void {
    this.#deadline.watch()
  }

  signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.signal()
    this.#controller?.abort(reason)
  }

  /** Aborts its signal, and stops waiting for it. */
  cutOff(error: Error): void {
    this.#isLate = true
    this.abort(error)
    this.#deadline.cut(error)
  }

  /** It was cut off, and may still run. */
  isLate(): boolean {
    return this.#isLate
  }
}
