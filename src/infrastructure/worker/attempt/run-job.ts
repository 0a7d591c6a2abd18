import type { ClientBase } from 'pg'
import { type Outcome, outcomeTurn, receiptTurn, wasAccepted } from '../../../application/commands/attempt-turns.ts'
import { type CommandTurn, canExpire, type WorkItem } from '../../../application/commands/work-message.ts'
import type { Clock } from '../../../application/ports/clock.ts'
import type { Attempt, Telemetry } from '../../../application/ports/telemetry.ts'
import type { HideValues } from '../../../application/sensitive/hide-values.ts'
import { TooLargeError } from '../../../application/shared/errors.ts'
import type { Loaded } from '../../../application/shared/transact.ts'
import type { CommandError } from '../../../domain/command/events.ts'
import type { CommandState } from '../../../domain/command/state.ts'
import { attemptEnd } from './attempt-end.ts'
import { type HandlerEnd, limitOf } from './deadline.ts'
import type { AnyHandler } from './handler.ts'
import { type CallDeps, HandlerCall } from './handler-call.ts'
import { inTransaction, PAUSED, type TransactionalAttempt, type TransactionDeps } from './in-transaction.ts'
import { failedWith, refused, successOf, withoutSize } from './outcomes.ts'
import type { Reporter, ReportOutcome, ReportReader } from './reporter.ts'
import { nameOf, type Run, type RunEvents } from './run.ts'

const withoutHandler = (hide: HideValues): Outcome =>
  refused('NO_HANDLER', 'no handler is registered for this type', hide)

/** How long a handler may take to stop when its message is lost. */
const GIVE_WAY_MS = 250

export interface RunDeps extends CallDeps, TransactionDeps {
  readonly handlerOf: (commandType: string) => AnyHandler | undefined
  readonly reporter: Reporter
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/**
 * The steps of one attempt: decode -> run the handler -> report. A receipt is recorded first only for a slow handler. It is a
 * class with callbacks, because closures and promises for each step would cost more than the rest of an attempt.
 */
export class JobRun implements Run, HandlerEnd, ReportReader, TransactionalAttempt {
  readonly job: WorkItem
  readonly began = performance.now()
  readonly expectedMs: number
  readonly #deps: RunDeps
  readonly #events: RunEvents
  readonly #attempt: Attempt
  readonly #isTransactional: boolean
  /** Null: no handler is registered for the command's type. */
  readonly #call: HandlerCall | null
  #known: Loaded<CommandState>
  #isShort: boolean
  #isAbandoned = false
  #isWaiting = false
  #outcome: Outcome | null = null
  #failure: CommandError | undefined = undefined
  #receipt: Promise<void> | null = null
  #wait: NodeJS.Timeout | null = null
  #isFinished = false
  #onFinished: (() => void)[] | null = null

  constructor(deps: RunDeps, job: WorkItem, events: RunEvents) {
    const { commandType, traceparent } = job.command.sent
    const handler = deps.handlerOf(commandType)
    this.job = job
    this.expectedMs = limitOf(handler?.timeoutMs, null) ?? 0
    this.#deps = deps
    this.#events = events
    this.#attempt = deps.telemetry.attempting(traceparent === undefined ? nameOf(job) : { ...nameOf(job), traceparent })
    this.#isTransactional = handler?.transactional === true
    this.#call = handler === undefined ? null : new HandlerCall(deps, job, handler)
    this.#known = job.loaded
    this.#isShort = handler !== undefined
  }

  /** Runs the handler. The events come later, never before this returns. */
  begin(): void {
    const refusal = this.#call === null ? withoutHandler : this.#call.decode()
    if (refusal !== null) void this.#failed(refusal).then(outcome => this.#handled(outcome))
    else if (this.#isTransactional) {
      inTransaction(this.#deps, this)
        // a transaction that cannot begin fails the attempt: nobody has to wait for its lease
        .catch((thrown): Promise<Outcome> => this.#failedWith(thrown))
        .then(outcome => this.#handled(outcome))
    } else if (canExpire(this.job) || this.job.command.sent.lane !== undefined) this.#beginInLog()
    else this.#call?.run(this.#attempt, null, this)
  }

  /** The receipt comes before the handler: what can expire does not do so any more, and the log shows the order of a lane. */
  #beginInLog(): void {
    this.recordReceipt()
      .then(() => !this.#isAbandoned && this.#deps.isPaused(this.job))
      .then(
        isPaused => {
          // its outcome is dropped
          if (this.#isAbandoned) this.#handled(successOf(null))
          else if (isPaused) this.#handled(PAUSED)
          else this.#call?.run(this.#attempt, null, this)
        },
        // nobody has to wait for its lease
        error => this.threw(error),
      )
  }

  /** Runs the handler in its transaction. */
  handle(client: ClientBase): Promise<Outcome> {
    return new Promise(resolve =>
      this.#call?.run(this.#attempt, client, {
        returned: value => resolve(successOf(value)),
        threw: error => resolve(this.#failedWith(error)),
      }),
    )
  }

  returned(value: unknown): void {
    this.#handled(successOf(value))
  }

  threw(error: unknown): void {
    void this.#failedWith(error).then(outcome => this.#handled(outcome))
  }

  #failedWith(thrown: unknown): Promise<Outcome> {
    return this.#failed(hide => this.#call?.failedWith(thrown, hide) ?? failedWith(thrown, this.#deps.mapError, hide))
  }

  /** What was thrown may name sensitive values: it is described without them, before anybody gets it. */
  async #failed(describe: (hide: HideValues) => Outcome): Promise<Outcome> {
    return describe(await this.#deps.hiding.of(this.job))
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
    if ('outcome' in outcome) this.reported(outcome)
    else if (this.#isAbandoned) this.reported('abandoned')
    else {
      this.#outcome = outcome
      this.#deps.reporter.reportTo(this.turnOf(outcome), this)
    }
  }

  turnOf(outcome: Outcome): CommandTurn {
    return outcomeTurn(this.job, this.#known, outcome, this.#deps.clock)
  }

  waits(): void {
    this.#isWaiting = true
  }

  reported(outcome: ReportOutcome | 'abandoned'): void {
    this.#tellTelemetry(attempt => attempt.ended(attemptEnd(this.job, outcome)))
    this.#events.ended(this, outcome)
    this.#finish()
  }

  notReported(error: unknown): void {
    const outcome = this.#outcome
    if (outcome !== null && error instanceof TooLargeError) {
      queueMicrotask(() =>
        this.#deps.log.debug(
          { err: error, ...nameOf(this.job) },
          'the outcome is too large for the log: it is left out',
        ),
      )
      this.#outcome = null
      this.#deps.reporter.reportTo(this.turnOf(withoutSize(outcome)), this)
    } else {
      this.#tellTelemetry(attempt => attempt.ended({ outcome: 'lost', replied: false }))
      this.#events.lost(this, error)
      this.#finish()
    }
  }

  #tellTelemetry(tell: (attempt: Attempt) => void): void {
    try {
      tell(this.#attempt)
    } catch (error) {
      queueMicrotask(() => this.#deps.log.warn({ err: error, ...nameOf(this.job) }, 'telemetry failed'))
    }
  }

  #finish(): void {
    this.#isFinished = true
    for (const resolve of this.#onFinished ?? []) resolve()
  }

  finished(): Promise<void> {
    if (this.#isFinished) return Promise.resolve()
    return new Promise(resolve => {
      this.#onFinished ??= []
      this.#onFinished.push(resolve)
    })
  }

  isShort(): boolean {
    return this.#isShort
  }

  tookLong(): void {
    this.#isShort = false
    this.#call?.watch()
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
    this.#call?.abort(error)
    this.#wait ??= setTimeout(() => {
      this.#isAbandoned = true
      this.#call?.cutOff(error)
    }, GIVE_WAY_MS)
  }

  async abandon(reason: string): Promise<void> {
    this.#isAbandoned = true
    this.#isShort = false
    this.#call?.abort(new Error(reason))
    await this.#receipt?.catch(() => {})
  }

  isAbandoned(): boolean {
    return this.#isAbandoned
  }

  isLate(): boolean {
    return this.#call?.isLate() === true
  }

  isWaiting(): boolean {
    return this.#isWaiting
  }

  failure(): CommandError | undefined {
    return this.#failure
  }
}
