import type { Log } from '../../../application/ports/log.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import type { ReportOutcome } from './reporter.ts'
import { nameOf, type Run } from './run.ts'

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

const failureIn = (events: readonly CommandEvent[]): FailureEvent | undefined => {
  for (const event of events) if ('error' in event && event.type !== 'OperatorEndedAttempt') return event
  return undefined
}

/** Logs one line for a failed attempt, with the error, its stack and its causes. Returns the event. */
export const logFailure = (log: Log, about: object, events: readonly CommandEvent[]): FailureEvent | undefined => {
  const failed = failureIn(events)
  if (failed === undefined) return undefined
  const [level, line] = lines[failed.type]
  const { error } = failed
  const then = failed.type === 'CommandFailed' ? { waitMs: Date.parse(failed.retryAt) - Date.parse(failed.at) } : {}
  const reason = failed.type === 'CommandMovedToTroubleshooting' ? { reason: failed.reason } : {}
  log[level]({ ...about, ...then, ...reason, error }, line)
  return failed
}

/** How long a command waits for its next attempt after this one, in milliseconds; null if it does not. */
export const waitMs = (outcome: ReportOutcome | 'abandoned'): number | null => {
  if (outcome === 'abandoned' || outcome.outcome !== 'done') return null
  const { state } = outcome.now
  const last = outcome.events.at(-1)
  return state.status === 'PENDING' && last !== undefined ? Date.parse(state.dueAt) - Date.parse(last.at) : null
}

/** Whether an attempt ended as it should; of any other, `logEnd` has something to say. */
export const succeeded = (outcome: ReportOutcome | 'abandoned'): boolean =>
  outcome !== 'abandoned' && outcome.outcome === 'done' && failureIn(outcome.events) === undefined

/** Logs the end of an attempt that did not succeed. Returns whether the command is tried again. */
export const logEnd = (log: Log, run: Run, outcome: ReportOutcome | 'abandoned'): boolean => {
  const about = nameOf(run.job)
  if (outcome !== 'abandoned' && outcome.outcome === 'done')
    return logFailure(log, about, outcome.events)?.type === 'CommandFailed'
  log.warn({ ...about, error: run.failure() }, 'the outcome of this attempt does not count: the command has moved on')
  return false
}

/** Logs that the outcome of an attempt could not be recorded. */
export const logLoss = (log: Log, run: Run, error: unknown): void =>
  log.error({ err: error, ...nameOf(run.job), error: run.failure() }, 'no outcome was recorded; the message comes back')
