import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { settledOrHeld } from '../../../application/commands/settled-or-held.ts'
import type { TransactCommands } from '../../../application/commands/transact-commands.ts'
import type { CommandTurn } from '../../../application/commands/work-message.ts'
import type { Clock } from '../../../application/ports/clock.ts'
import type { Log } from '../../../application/ports/log.ts'
import type { Waiting } from '../../../application/shared/aside.ts'
import { gather } from '../../../application/shared/coalesce.ts'
import { HeldError } from '../../../application/shared/errors.ts'
import type { TurnOutcome } from '../../../application/shared/transact.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import type { CommandRejection } from '../../../domain/command/rejections.ts'
import type { CommandState } from '../../../domain/command/state.ts'

export type ReportOutcome = TurnOutcome<CommandState, CommandEvent, CommandRejection>

/** Receives what becomes of a report. Its functions must not throw: the reports of one statement are passed on together. */
export interface ReportReader {
  readonly reported: (outcome: ReportOutcome) => void
  readonly notReported: (error: unknown) => void
  /** The database is away: the report is tried again. */
  readonly waits: () => void
}

export interface Reporter {
  /** Appends a turn together with those of other work items. Retries while the database is away. */
  readonly report: (turn: CommandTurn) => Promise<ReportOutcome>
  /** The same without a promise, for the usual report of each attempt. */
  readonly reportTo: (turn: CommandTurn, reader: ReportReader) => void
  /** Since when reports fail; null: they do not. */
  readonly failingSince: () => Date | null
  /** Stops trying: waiting reports are rejected, and their messages come back after their lease. */
  readonly giveUp: () => void
}

const MAX_BATCH = 200
const MAX_RUNS = 3
/** With a fast database, larger runs one after another do more; with a slow one, several go in parallel. */
const WORTH_A_RUN = 100
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000

const sizeOf = ({ bytes = 0 }: CommandTurn): number => bytes

/** Waits so many milliseconds; rejects when the signal is aborted. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<unknown>

/** `alone`: the log takes one append a request, so that batches gain nothing, and each report fails by itself. */
export const createReporter = (
  transact: TransactCommands,
  isAway: (error: unknown) => boolean,
  clock: Clock,
  log: Log,
  alone = false,
  wait: Wait = (ms, signal) => delay(ms, undefined, { signal }),
): Reporter => {
  const stop = new AbortController()
  // each report that waits for the database listens
  setMaxListeners(0, stop.signal)
  let failingSince: Date | null = null
  let failing = 0

  const append = gather<CommandTurn, ReportOutcome>({
    ...(alone
      ? { room: { most: 1, sizeOf }, maxRuns: Number.POSITIVE_INFINITY }
      : { room: { most: MAX_BATCH, sizeOf }, maxRuns: MAX_RUNS, worthARun: WORTH_A_RUN, soon: setImmediate }),
    run: turns =>
      alone ? transact(turns) : settledOrHeld(turns.length, onOutcome => transact(turns, { brief: true, onOutcome })),
    isShared: isAway,
    aside: {
      keyOf: ({ stream }) => stream,
      patienceMs: LONGEST_WAIT_MS,
      onHeld: ({ stream }) => new HeldError(`stream ${stream} or its message`),
    },
  })

  /** One report on its way, tried again while the database is away. */
  class Report implements Waiting<CommandTurn, ReportOutcome> {
    readonly item: CommandTurn
    readonly #reader: ReportReader
    /** The next wait; null: it has not failed. */
    #waitMs: number | null = null

    constructor(turn: CommandTurn, reader: ReportReader) {
      this.item = turn
      this.#reader = reader
    }

    resolve(outcome: ReportOutcome): void {
      this.#end()
      this.#reader.reported(outcome)
    }

    reject(error: unknown): void {
      if ((isAway(error) || error instanceof HeldError) && !stop.signal.aborted) {
        this.#tryLater(error)
      } else {
        this.#end()
        this.#reader.notReported(error)
      }
    }

    #tryLater(error: unknown): void {
      const waitMs = this.#waitMs ?? FIRST_WAIT_MS
      if (this.#waitMs === null) failing++
      this.#waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
      this.#reader.waits()
      failingSince ??= clock.now()
      // a log that throws must not keep the others of this statement from their readers
      queueMicrotask(() =>
        log.warn({ err: error, stream: this.item.stream }, 'the database does not take reports; trying again'),
      )
      wait(waitMs, stop.signal).then(
        () => append(this),
        stopped => this.reject(stopped),
      )
    }

    /** The database is back when the last waiting report has ended, in any way. */
    #end(): void {
      if (this.#waitMs !== null && --failing === 0) failingSince = null
    }
  }

  const reportTo: Reporter['reportTo'] = (turn, reader) => append(new Report(turn, reader))

  return {
    report: turn => new Promise((reported, notReported) => reportTo(turn, { reported, notReported, waits: () => {} })),
    reportTo,
    failingSince: () => failingSince,
    giveUp: () => stop.abort(),
  }
}
