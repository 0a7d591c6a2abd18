import { isLeft } from 'fp-ts/lib/Either.js'
import type { ClientBase } from 'pg'
import type { Outcome } from '../../../application/commands/attempt-turns.ts'
import type { WorkItem } from '../../../application/commands/work-message.ts'
import { type ParsedPayload, parsePayload } from '../../../application/payloads/payload-schema.ts'
import type { Attempt } from '../../../application/ports/telemetry.ts'
import type { HideValues } from '../../../application/sensitive/hide-values.ts'
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

/** An outcome without the values that few should see. */
type Described = (hide: HideValues) => Outcome

/** A handler's call for one work item, with its deadline and its signal to stop. */
export class HandlerCall implements Abortable {
  readonly #deps: CallDeps
  readonly #job: WorkItem
  readonly #handler: AnyHandler
  readonly #deadline: Deadline
  #data: unknown
  /** The answer of a schema that takes its time; null: the payload was decoded at once. */
  #decoding: Promise<ParsedPayload<unknown>> | null = null
  #refusal: Described | null = null
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

  /**
   * Decodes the payload, or begins to: then the handler's run waits for the answer. Returns how to describe the outcome of
   * an attempt whose handler cannot begin; null: it can.
   */
  decode(): Described | null {
    const { payload } = this.#handler
    if (payload === undefined) return null
    try {
      const parsed = parsePayload(payload, this.#data)
      if (parsed instanceof Promise) {
        this.#decoding = parsed
        // it may fail before the run begins, which then fails with it
        parsed.catch(() => {})
        return null
      }
      if (isLeft(parsed)) return unfit(parsed.left)
      this.#data = parsed.right
      return null
    } catch (thrown) {
      return hide => failedWith(thrown, this.#deps.mapError, hide)
    }
  }

  /** Runs the handler in the trace of `attempt`. */
  run(attempt: Attempt, client: ClientBase | null, end: HandlerEnd): void {
    const call = (): unknown =>
      this.#handler.handle(this.#data, new JobContext(this.#deps, this.#job, this.#data, this, client))
    const decoding = this.#decoding
    const handle = decoding === null ? call : () => this.#decoded(decoding).then(call)
    this.#deadline.run(() => attempt.run(handle), end)
  }

  async #decoded(decoding: Promise<ParsedPayload<unknown>>): Promise<void> {
    const parsed = await decoding
    // the worker may have stopped waiting meanwhile: then the handler never begins
    this.#controller?.signal.throwIfAborted()
    if (isLeft(parsed)) {
      this.#refusal = unfit(parsed.left)
      throw new Error('the payload was refused')
    }
    this.#data = parsed.right
  }

  /** The outcome of a run that has thrown `error`. */
  failedWith(error: unknown, hide: HideValues): Outcome {
    return this.#refusal?.(hide) ?? failedWith(error, this.#deps.mapError, hide)
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

const unfit =
  (faults: readonly string[]): Described =>
  hide =>
    refused('INVALID_PAYLOAD', `the payload does not fit: ${faults.join('; ')}`, hide)
