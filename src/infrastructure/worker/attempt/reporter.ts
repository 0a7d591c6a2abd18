import { setTimeout as delay } from 'node:timers/promises'
import { settledOrHeld } from '../../../application/commands/settled-or-held.ts'
import type { TransactCommands } from '../../../application/commands/transact-commands.ts'
import type { CommandTurn } from '../../../application/commands/work-message.ts'
import type { Clock } from '../../../application/ports/clock.ts'
import type { Log } from '../../../application/ports/log.ts'
import { coalesce } from '../../../application/shared/coalesce.ts'
import { HeldError } from '../../../application/shared/errors.ts'
import type { TurnOutcome } from '../../../application/shared/transact.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import type { CommandRejection } from '../../../domain/command/rejections.ts'
import type { CommandState } from '../../../domain/command/state.ts'

export type ReportOutcome = TurnOutcome<CommandState, CommandEvent, CommandRejection>

export interface Reporter {
  /**
   * Appends a turn together with those of other work items. While the database is away it retries, and calls `onAway` before
   * each wait.
   */
  readonly report: (turn: CommandTurn, onAway?: () => void) => Promise<ReportOutcome>
  /** Since when reports fail; null: they do not. */
  readonly failingSince: () => Date | null
  /** Stops trying: waiting reports are rejected, and their messages come back after their lease. */
  readonly giveUp: () => void
}

const MAX_BATCH = 200
const MAX_RUNS = 3
/** With a fast database, larger runs one after another do more; with a slow one, several go in parallel. */
const WORTH_A_RUN = 100
const LONGEST_WAIT_MS = 2_000

const sizeOf = ({ bytes = 0 }: CommandTurn): number => bytes

/** `alone`: the log takes one append a request, so that batches gain nothing, and each report fails by itself. */
export const createReporter = (
  transact: TransactCommands,
  isAway: (error: unknown) => boolean,
  clock: Clock,
  log: Log,
  alone = false,
): Reporter => {
  const stop = new AbortController()
  let failingSince: Date | null = null
  let failing = 0

  const append = coalesce<CommandTurn, ReportOutcome>({
    ...(alone
      ? { room: { most: 1, sizeOf }, maxRuns: Number.POSITIVE_INFINITY }
      : { room: { most: MAX_BATCH, sizeOf }, maxRuns: MAX_RUNS, worthARun: WORTH_A_RUN }),
    run: turns =>
      alone ? transact(turns) : settledOrHeld(turns.length, onOutcome => transact(turns, { brief: true, onOutcome })),
    isShared: isAway,
    aside: {
      keyOf: ({ stream }) => stream,
      patienceMs: LONGEST_WAIT_MS,
      onHeld: ({ stream }) => new HeldError(`stream ${stream} or its message`),
    },
  })

  const report: Reporter['report'] = async (turn, onAway = () => {}) => {
    let failed = false
    try {
      for (let wait = 100; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
        try {
          return await append(turn)
        } catch (error) {
          if (!(isAway(error) || error instanceof HeldError) || stop.signal.aborted) throw error
          if (!failed) failing++
          failed = true
          onAway()
          failingSince ??= clock.now()
          log.warn({ err: error, stream: turn.stream }, 'the database does not take reports; trying again')
          await delay(wait, undefined, { signal: stop.signal })
        }
      }
    } finally {
      // over when the last waiting report has ended, in any way
      if (failed && --failing === 0) failingSince = null
    }
  }

  return { report, failingSince: () => failingSince, giveUp: () => stop.abort() }
}
