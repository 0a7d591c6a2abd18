import { setTimeout as delay } from 'node:timers/promises'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { ClientBase } from 'pg'
import type { TransactCommands } from '../../../application/commands/transact-commands.ts'
import {
  type Outcome,
  outcomeTurn,
  receiptTurn,
  type WorkItem,
  wasAccepted,
} from '../../../application/commands/work-message.ts'
import type { Clock } from '../../../application/ports/clock.ts'
import type { Telemetry } from '../../../application/ports/telemetry.ts'
import { TooLargeError } from '../../../application/shared/errors.ts'
import { parseSizedJson } from '../../../application/shared/json.ts'
import type { Loaded } from '../../../application/shared/transact.ts'
import type { CommandError } from '../../../domain/command/events.ts'
import type { CommandState } from '../../../domain/command/state.ts'
import { faultsOf } from '../../codec/json.ts'
import { rawClient } from '../../postgres/connection/database.ts'
import { failure, failureOf, type MapError } from '../failures/failures.ts'
import { attemptEnd } from './attempt-end.ts'
import type { HandlerConnection, HandlerConnections } from './connections.ts'
import { createDeadline, limitOf, type TimeoutMs } from './deadline.ts'
import { guardedClient, transactionEnded } from './guarded-client.ts'
import type { AnyHandler } from './handler.ts'
import { type ContextDeps, JobContext, lazyAbort } from './job-context.ts'
import type { Reporter, ReportOutcome } from './reporter.ts'

/** A handler that runs longer is shown as IN_PROGRESS; the receipt of a shorter one is recorded with its outcome. */
export const RECEIPT_AFTER_MS = 25
const LONGEST_TRANSACTION_MS = 300_000
const CONNECT_AGAIN_MS = 100
/** How long a handler may take to stop when its message is lost. */
const GIVE_WAY_MS = 250

export interface RunDeps extends ContextDeps {
  readonly handlerOf: (commandType: string) => AnyHandler | undefined
  readonly reporter: Reporter
  readonly transact: TransactCommands
  readonly connections: HandlerConnections
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly mapError: MapError | undefined
  /** The deadline of handlers that have none of their own. */
  readonly timeoutMs: TimeoutMs
  /** Whether the error says that the database is away. */
  readonly isAway: (error: unknown) => boolean
}

/** One running attempt. */
export interface Run {
  readonly job: WorkItem
  /** By the clock of `performance`. */
  readonly began: number
  /** The handler's own `timeoutMs`; 0: it has none. */
  readonly expectedMs: number
  /** The handler has ended: its slot is free. */
  readonly handled: Promise<void>
  /** The handler has ended, but the database is away: the lease must be extended until the outcome is recorded. */
  readonly isWaiting: () => boolean
  /** The outcome is in the log, or the attempt was abandoned. */
  readonly finished: Promise<ReportOutcome | 'abandoned'>
  /** The handler's error, whether or not it counted. */
  readonly failure: () => CommandError | undefined
  /**
   * Aborts the handler's signal, as its message is lost. An outcome that comes soon is still reported, as the log decides
   * whether the attempt counts. A handler that goes on loses its slot and its outcome.
   */
  readonly abort: (reason: string) => void
  /** Aborts the handler's signal and drops its outcome. Resolves when no receipt is being written any more. */
  readonly abandon: (reason: string) => Promise<void>
}

/** The steps of one attempt: decode -> run the handler -> report. A receipt is recorded first only for a slow handler. */
export const runJob = (deps: RunDeps, job: WorkItem): Run => {
  const began = performance.now()
  const abort = lazyAbort()
  const log = deps.log
  const { commandType, traceparent } = job.command.sent
  const attempt = deps.telemetry.attempting({ ...nameOf(job), ...(traceparent === undefined ? {} : { traceparent }) })
  let known: Loaded<CommandState> = job.loaded
  let abandoned = false
  let late = false
  let waiting = false
  let receipt: Promise<void> | null = null
  let wait: NodeJS.Timeout | null = null
  let failed: CommandError | undefined
  const abandon = async (reason: string): Promise<void> => {
    abandoned = true
    if (timer !== null) clearTimeout(timer)
    abort.abort(new Error(reason))
    await receipt?.catch(() => {})
  }

  /** Stops waiting for the handler. */
  const cutOff = (error: Error): void => {
    late = true
    abort.abort(error)
    deadline.cut(error)
  }

  const giveWay = (reason: string): void => {
    const error = new Error(reason)
    abort.abort(error)
    wait ??= setTimeout(() => {
      abandoned = true
      cutOff(error)
    }, GIVE_WAY_MS)
  }

  const recordReceipt = (): Promise<void> => {
    receipt ??= deps.reporter.report(receiptTurn(job)).then(outcome => {
      if (wasAccepted(outcome)) known = outcome.now
      else void abandon('another worker has this command now')
    })
    return receipt
  }

  const handler = deps.handlerOf(commandType)
  const deadline = createDeadline(limitOf(handler?.timeoutMs, deps.timeoutMs), RECEIPT_AFTER_MS, cutOff)
  const timer =
    handler === undefined
      ? null
      : setTimeout(() => {
          deadline.watch()
          recordReceipt().catch(error => log.warn({ err: error, ...nameOf(job) }, 'the receipt was not recorded'))
        }, RECEIPT_AFTER_MS)

  const decideOutcome = async (): Promise<Outcome | ReportOutcome> => {
    if (handler === undefined) return refused('NO_HANDLER', 'no handler is registered for this type')
    const payload = job.command.data
    const decoded = handler.payload?.decode(payload)
    if (decoded !== undefined && isLeft(decoded)) {
      return refused('INVALID_PAYLOAD', `the payload does not fit: ${faultsOf(decoded.left).join('; ')}`)
    }
    const data = decoded === undefined ? payload : decoded.right
    const run = (client: ClientBase | null): Promise<unknown> =>
      deadline.run(() => attempt.run(() => handler.handle(data, new JobContext(deps, job, data, abort, client))))
    return handler.transactional === true ? inTransaction(run) : ended(run(null))
  }

  const ended = async (result: Promise<unknown>): Promise<Outcome> => {
    try {
      return successOf(await result)
    } catch (thrown) {
      return { kind: 'failure', error: failureOf(thrown, deps.mapError) }
    }
  }

  /** Waits for a connection before the handler begins, until the attempt is abandoned. */
  const connected = async (): Promise<HandlerConnection> => {
    for (;;) {
      try {
        const connection = await deps.connections.connect()
        if (!abandoned) return connection
        connection.release()
        throw new Error('this worker no longer has the attempt')
      } catch (error) {
        if (abandoned || !deps.isAway(error)) throw error
        log.warn({ err: error, ...nameOf(job) }, 'no connection for a transactional handler; trying again')
        await delay(CONNECT_AGAIN_MS)
      }
    }
  }

  /** The handler's writes and the completion in one transaction; the receipt is in the log before it begins. */
  const inTransaction = async (run: (client: ClientBase) => Promise<unknown>): Promise<Outcome | ReportOutcome> => {
    await recordReceipt()
    if (abandoned) throw new Error('this worker no longer has the attempt')
    const { client, release } = await connected()
    const guarded = guardedClient(rawClient(client))
    let broken: Error | undefined
    // a connection that breaks while the handler does not use it must not end the process
    const onError = (error: Error): void => {
      broken = error
    }
    client.on('error', onError)
    try {
      await client.query('begin')
      await client.query(`set local idle_in_transaction_session_timeout = ${LONGEST_TRANSACTION_MS}`)
      const outcome = await ended(run(guarded.client))
      guarded.close()
      if (guarded.isMarked())
        broken = new Error('the handler may have left a setting, a lock or a table on its connection')
      if (late) {
        // the handler may still run: close its connection, so that nobody else gets it
        broken = new Error('the handler did not end in time')
        return outcome
      }
      const tried = guarded.tried()
      if (outcome.kind === 'failure' || abandoned || tried !== null) {
        await client.query('rollback')
        return tried === null ? outcome : { kind: 'failure', error: transactionEnded(tried) }
      }
      const [reported] = await deps.transact([outcomeTurn(job, known, outcome, deps.clock)], { within: client })
      await client.query(reported !== undefined && wasAccepted(reported) ? 'commit' : 'rollback')
      return reported as ReportOutcome
    } catch (error) {
      broken = error instanceof Error ? error : new Error(String(error))
      // it may have committed: then this report is stale and changes nothing
      return { kind: 'failure', error: { ...failureOf(error, undefined), code: 'TRANSACTION_FAILED' } }
    } finally {
      client.off('error', onError)
      release(broken)
    }
  }

  const handled = decideOutcome()
    // a codec that throws or a transaction that cannot begin fails the attempt: nobody has to wait for its lease
    .catch((thrown): Outcome => ({ kind: 'failure', error: failureOf(thrown, deps.mapError) }))
    .finally(() => {
      for (const one of [timer, wait]) if (one !== null) clearTimeout(one)
      deadline.end()
      attempt.handled()
    })

  const finish = async (): Promise<ReportOutcome | 'abandoned'> => {
    const outcome = await handled
    if ('kind' in outcome && outcome.kind === 'failure') failed = outcome.error
    await receipt?.catch(() => {})
    if ('outcome' in outcome) return outcome
    if (abandoned) return 'abandoned'
    const report = (of: Outcome): Promise<ReportOutcome> =>
      deps.reporter.report(outcomeTurn(job, known, of, deps.clock), () => {
        waiting = true
      })
    return report(outcome).catch(error => {
      if (!(error instanceof TooLargeError)) throw error
      log.debug({ err: error, ...nameOf(job) }, 'the outcome is too large for the log: it is left out')
      return report(withoutSize(outcome))
    })
  }

  const finished = finish()
  finished
    .then(
      outcome => attempt.ended(attemptEnd(job, outcome)),
      () => attempt.ended({ outcome: 'lost', replied: false }),
    )
    .catch(error => log.warn({ err: error, ...nameOf(job) }, 'telemetry failed'))

  return {
    job,
    began,
    expectedMs: limitOf(handler?.timeoutMs, null) ?? 0,
    handled: handled.then(
      () => {},
      () => {},
    ),
    isWaiting: () => waiting,
    finished,
    failure: () => failed,
    abort: giveWay,
    abandon,
  }
}

export const nameOf = (job: WorkItem) => ({
  domain: job.key.domain,
  commandId: job.key.commandId,
  commandType: job.command.sent.commandType,
  correlationId: job.command.sent.correlationId,
  attempt: job.attempt,
})

const refused = (type: 'NO_HANDLER' | 'INVALID_PAYLOAD', message: string): Outcome => ({
  kind: 'failure',
  error: failure(type, type, message),
})

/** The outcome without the parts that are too large for the log. */
const withoutSize = (outcome: Outcome): Outcome => {
  if (outcome.kind === 'failure') {
    const details = 'details were left out: they are larger than the log takes in one append'
    return { kind: 'failure', error: { ...outcome.error, details } }
  }
  const message = "the handler's result cannot be stored: it is larger than the log takes in one append"
  return { kind: 'failure', error: failure('PERMANENT', 'INVALID_RESULT', message) }
}

const successOf = (result: unknown): Outcome => {
  const parsed = parseSizedJson(result ?? null, { root: 'result', before: 'returning' })
  return isLeft(parsed)
    ? {
        kind: 'failure',
        error: failure('PERMANENT', 'INVALID_RESULT', `the handler's result cannot be stored: ${parsed.left}`),
      }
    : { kind: 'success', result: parsed.right.json, bytes: parsed.right.bytes }
}
