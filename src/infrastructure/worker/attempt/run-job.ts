import { type Either, isLeft, isRight, left } from 'fp-ts/lib/Either.js'
import type { ClientBase } from 'pg'
import {
  type CommandTurn,
  type Outcome,
  outcomeTurn,
  receiptTurn,
  type WorkItem,
  wasAccepted,
} from '../../../application/commands/work-message.ts'
import type { Clock } from '../../../application/ports/clock.ts'
import type { Attempt, Telemetry } from '../../../application/ports/telemetry.ts'
import { TooLargeError } from '../../../application/shared/errors.ts'
import type { Loaded } from '../../../application/shared/transact.ts'
import type { CommandError } from '../../../domain/command/events.ts'
import type { CommandState } from '../../../domain/command/state.ts'
import type { Json } from '../../../domain/json/json.ts'
import { faultsOf } from '../../codec/json.ts'
import type { MapError } from '../failures/failures.ts'
import { attemptEnd } from './attempt-end.ts'
import { Deadline, type HandlerEnd, limitOf, type TimeoutMs } from './deadline.ts'
import type { AnyHandler } from './handler.ts'
import { inTransaction, type TransactionalAttempt, type TransactionDeps } from './in-transaction.ts'
import { type Abortable, type ContextDeps, JobContext } from './job-context.ts'
import { failedWith, refused, successOf, withoutSize } from './outcomes.ts'
import type { Reporter, ReportOutcome, ReportReader } from './reporter.ts'
import { nameOf, RECEIPT_AFTER_MS, type Run, type RunEvents } from './run.ts'

/** How long a handler may take to stop when its message is lost. */
const GIVE_WAY_MS = 250

export interface RunDeps extends ContextDeps, TransactionDeps {
  readonly handlerOf: (commandType: string) => AnyHandler | undefined
  readonly reporter: Reporter
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly mapError: MapError | undefined
  /** The deadline of handlers that have none of their own. */
  readonly timeoutMs: TimeoutMs
}

/**
 * The steps of one attempt: decode -> run the handler -> report. A receipt is recorded first only for a slow handler. It is a
 * class with callbacks, because closures and promises for each step would cost more than the rest of an attempt.
 */
export class JobRun implements Run, HandlerEnd, ReportReader, Abortable, TransactionalAttempt {
  readonly job: WorkItem
  readonly began = performance.now()
  readonly expectedMs: number
  readonly #deps: RunDeps
  readonly #events: RunEvents
  readonly #handler: AnyHandler | undefined
  readonly #attempt: Attempt
  readonly #deadline: Deadline
  #data: unknown
  #known: Loaded<CommandState>
  #isShort: boolean
  #isAbandoned = false
  #isLate = false
  #isWaiting = false
  #isFinished = false
  #outcome: Outcome | null = null
  #failure: CommandError | undefined = undefined
  #receipt: Promise<void> | null = null
  #wait: NodeJS.Timeout | null = null
  #controller: AbortController | null = null
  #onFinished: (() => void)[] | null = null

  constructor(deps: RunDeps, job: WorkItem, events: RunEvents) {
    const { commandType, traceparent } = job.command.sent
    this.job = job
    this.#deps = deps
    this.#events = events
    this.#attempt = deps.telemetry.attempting(traceparent === undefined ? nameOf(job) : { ...nameOf(job), traceparent })
    this.#data = job.command.data
    this.#known = job.loaded
    this.#handler = deps.handlerOf(commandType)
    this.#isShort = this.#handler !== undefined
    const limitMs = this.#handler?.timeoutMs
    this.#deadline = new Deadline(limitOf(limitMs, deps.timeoutMs), RECEIPT_AFTER_MS, error => this.#cutOff(error))
    this.expectedMs = limitOf(limitMs, null) ?? 0
  }

  /** Runs the handler. What becomes of it is told later, never before this returns. */
  begin(): void {
    const handler = this.#handler
    if (handler === undefined) {
      this.#handledSoon(refused('NO_HANDLER', 'no handler is registered for this type'))
      return
    }
    if (handler.payload !== undefined) {
      const decoded = decodedBy(handler.payload, this.job.command.data, this.#deps.mapError)
      if (isLeft(decoded)) {
        this.#handledSoon(decoded.left)
        return
      }
      this.#data = decoded.right
    }
    if (handler.transactional === true) {
      inTransaction(this.#deps, this)
        // a transaction that cannot begin fails the attempt: nobody has to wait for its lease
        .catch((thrown): Outcome => failedWith(thrown, this.#deps.mapError))
        .then(outcome => this.#handled(outcome))
    } else {
      this.#run(null, this)
    }
  }

  isShort(): boolean {
    return this.#isShort
  }

  isWaiting(): boolean {
    return this.#isWaiting
  }

  isAbandoned(): boolean {
    return this.#isAbandoned
  }

  isLate(): boolean {
    return this.#isLate
  }

  failure(): CommandError | undefined {
    return this.#failure
  }

  signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  finished(): Promise<void> {
    if (this.#isFinished) return Promise.resolve()
    return new Promise(resolve => {
      this.#onFinished ??= []
      this.#onFinished.push(resolve)
    })
  }

  tookLong(): void {
    this.#isShort = false
    this.#deadline.watch()
    this.recordReceipt().catch(error =>
      this.#deps.log.warn({ err: error, ...nameOf(this.job) }, 'the receipt was not recorded'),
    )
  }

  recordReceipt(): Promise<void> {
    this.#receipt ??= this.#deps.reporter.report(receiptTurn(this.job)).then(outcome => {
      if (wasAccepted(outcome)) this.#known = outcome.now
      else void this.abandon('another worker has this command now')
    })
    return this.#receipt
  }

  abort(reason: string): void {
    const error = new Error(reason)
    this.#abort(error)
    this.#wait ??= setTimeout(() => {
      this.#isAbandoned = true
      this.#cutOff(error)
    }, GIVE_WAY_MS)
  }

  async abandon(reason: string): Promise<void> {
    this.#isAbandoned = true
    this.#isShort = false
    this.#abort(new Error(reason))
    await this.#receipt?.catch(() => {})
  }

  #abort(reason: Error): void {
    this.signal()
    this.#controller?.abort(reason)
  }

  /** Stops waiting for the handler. */
  #cutOff(error: Error): void {
    this.#isLate = true
    this.#abort(error)
    this.#deadline.cut(error)
  }

  #run(client: ClientBase | null, end: HandlerEnd): void {
    const call = (): unknown =>
      this.#handler?.handle(this.#data, new JobContext(this.#deps, this.job, this.#data, this, client))
    this.#deadline.run(() => this.#attempt.run(call), end)
  }

  /** The handler in its transaction. */
  handle(client: ClientBase): Promise<Outcome> {
    return new Promise(resolve =>
      this.#run(client, {
        returned: value => resolve(successOf(value)),
        threw: error => resolve(failedWith(error, this.#deps.mapError)),
      }),
    )
  }

  turnOf(outcome: Outcome): CommandTurn {
    return outcomeTurn(this.job, this.#known, outcome, this.#deps.clock)
  }

  returned(value: unknown): void {
    this.#handled(successOf(value))
  }

  threw(error: unknown): void {
    this.#handled(failedWith(error, this.#deps.mapError))
  }

  #handledSoon(outcome: Outcome): void {
    queueMicrotask(() => this.#handled(outcome))
  }

  #handled(outcome: Outcome | ReportOutcome): void {
    if (this.#wait !== null) clearTimeout(this.#wait)
    if ('kind' in outcome && outcome.kind === 'failure') this.#failure = outcome.error
    this.#tellTelemetry(attempt => attempt.handled())
    if (this.#receipt === null) this.#report(outcome)
    else void this.#receipt.catch(() => {}).then(() => this.#report(outcome))
    this.#events.handled(this)
  }

  #report(outcome: Outcome | ReportOutcome): void {
    if ('outcome' in outcome) this.#ended(outcome)
    else if (this.#isAbandoned) this.#ended('abandoned')
    else {
      this.#outcome = outcome
      this.#deps.reporter.reportTo(this.turnOf(outcome), this)
    }
  }

  waits(): void {
    this.#isWaiting = true
  }

  reported(outcome: ReportOutcome): void {
    this.#ended(outcome)
  }

  notReported(error: unknown): void {
    const outcome = this.#outcome
    if (outcome === null || !(error instanceof TooLargeError)) {
      this.#lost(error)
      return
    }
    this.#deps.log.debug({ err: error, ...nameOf(this.job) }, 'the outcome is too large for the log: it is left out')
    this.#outcome = null
    this.#deps.reporter.reportTo(this.turnOf(withoutSize(outcome)), this)
  }

  #ended(outcome: ReportOutcome | 'abandoned'): void {
    this.#tellTelemetry(attempt => attempt.ended(attemptEnd(this.job, outcome)))
    this.#events.ended(this, outcome)
    this.#finish()
  }

  #lost(error: unknown): void {
    this.#tellTelemetry(attempt => attempt.ended({ outcome: 'lost', replied: false }))
    this.#events.lost(this, error)
    this.#finish()
  }

  #tellTelemetry(tell: (attempt: Attempt) => void): void {
    try {
      tell(this.#attempt)
    } catch (error) {
      this.#deps.log.warn({ err: error, ...nameOf(this.job) }, 'telemetry failed')
    }
  }

  #finish(): void {
    this.#isFinished = true
    for (const resolve of this.#onFinished ?? []) resolve()
  }
}

/** A codec that throws fails the attempt. */
const decodedBy = (
  payload: NonNullable<AnyHandler['payload']>,
  data: Json,
  mapError: MapError | undefined,
): Either<Outcome, unknown> => {
  try {
    const decoded = payload.decode(data)
    if (isRight(decoded)) return decoded
    return left(refused('INVALID_PAYLOAD', `the payload does not fit: ${faultsOf(decoded.left).join('; ')}`))
  } catch (thrown) {
    return left(failedWith(thrown, mapError))
  }
}
