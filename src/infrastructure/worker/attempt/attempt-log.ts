import type { Log } from '../../../application/ports/log.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import { nameOf, type Run } from './run-job.ts'

/** The events of a failed attempt. */
type FailureEvent = Exclude<
  Extract<CommandEvent, { readonly error: unknown }>,
  { readonly type: 'OperatorEndedAttempt' }
>

/** `warn`: an operator has to act. */
const lines = {
  CommandFailed: ['info', 'the attempt failed and is tried again'],
  CommandMovedToTroubleshooting: ['warn', 'parked: an operator has to look at the command'],
  CommandExhausted: ['warn', 'the command failed for good'],
  CommandRejectedByBusinessRule: ['info', 'a business rule refused the command'],
} as const satisfies Record<FailureEvent['type'], readonly ['info' | 'warn', string]>

/** Logs one line for a failed attempt, with the error, its stack and its causes. Returns the event. */
export const logFailure = (log: Log, about: object, events: readonly CommandEvent[]): FailureEvent | undefined => {
  const failed = events.find(event => 'error' in event && event.type !== 'OperatorEndedAttempt')
  if (failed === undefined) return undefined
  const [level, line] = lines[failed.type]
  const { error } = failed
  const then = failed.type === 'CommandFailed' ? { waitMs: Date.parse(failed.retryAt) - Date.parse(failed.at) } : {}
  const reason = failed.type === 'CommandMovedToTroubleshooting' ? { reason: failed.reason } : {}
  log[level]({ ...about, ...then, ...reason, error }, line)
  return failed
}

/** Waits for the end of an attempt, and logs it unless it succeeded. Returns whether the command is tried again. */
export const logEnd = async (log: Log, run: Run): Promise<boolean> => {
  const about = nameOf(run.job)
  try {
    const outcome = await run.finished
    if (outcome !== 'abandoned' && outcome.outcome === 'done')
      return logFailure(log, about, outcome.events)?.type === 'CommandFailed'
    log.warn({ ...about, error: run.failure() }, 'the outcome of this attempt does not count: the command has moved on')
  } catch (error) {
    log.error({ err: error, ...about, error: run.failure() }, 'no outcome was recorded; the message comes back')
  }
  return false
}
