import type { WorkItem } from '../../../application/commands/work-message.ts'
import type { CommandError } from '../../../domain/command/events.ts'
import type { ReportOutcome } from './reporter.ts'

/** A handler that runs longer is shown as IN_PROGRESS; the receipt of a shorter one is recorded with its outcome. */
export const RECEIPT_AFTER_MS = 25

/** One running attempt. */
export interface Run {
  readonly job: WorkItem
  /** By the clock of `performance`. */
  readonly began: number
  /** The handler's own `timeoutMs`; 0: it has none. */
  readonly expectedMs: number
  /** Whether `tookLong` is to be called once the attempt has run for RECEIPT_AFTER_MS. */
  readonly isShort: () => boolean
  /** Records the receipt, and watches the handler's deadline. */
  readonly tookLong: () => void
  /** The handler has ended, but the database is away: the lease must be extended until the outcome is recorded. */
  readonly isWaiting: () => boolean
  /** Resolves when the outcome is in the log, or the attempt was abandoned, or its outcome could not be recorded. */
  readonly finished: () => Promise<void>
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

/** Receives what becomes of attempts; called after `begin` has returned, and must not throw. */
export interface RunEvents {
  /** The handler has ended: its slot is free. */
  readonly handled: (run: Run) => void
  /** The outcome is in the log, or the attempt was abandoned. */
  readonly ended: (run: Run, outcome: ReportOutcome | 'abandoned') => void
  /** The outcome could not be recorded. */
  readonly lost: (run: Run, error: unknown) => void
}

export const nameOf = (job: WorkItem) => ({
  domain: job.key.domain,
  commandId: job.key.commandId,
  commandType: job.command.sent.commandType,
  correlationId: job.command.sent.correlationId,
  attempt: job.attempt,
})
