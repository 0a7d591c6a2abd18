import type { Log } from '../../application/ports/log.ts'
import type { CommandEvent } from '../../domain/command/events.ts'

type FailureEvent = Extract<CommandEvent, { readonly error: unknown }>

/** `warn` where somebody has to look. */
const lines = {
  CommandFailed: ['info', 'the attempt failed and is tried again'],
  CommandMovedToTroubleshooting: ['warn', 'parked: an operator has to look at the command'],
  CommandExhausted: ['warn', 'the command failed for good'],
  CommandRejectedByBusinessRule: ['info', 'a business rule refused the command'],
  OperatorEndedAttempt: ['warn', 'an operator ended the attempt'],
} as const satisfies Record<FailureEvent['type'], readonly ['info' | 'warn', string]>

/** Writes one line for an attempt that failed, with the error, its stack and its causes. Gives the event that says so. */
export const logFailure = (log: Log, about: object, events: readonly CommandEvent[]): FailureEvent | undefined => {
  const failed = events.find(event => 'error' in event)
  if (failed === undefined) return undefined
  const [level, line] = lines[failed.type]
  const { error } = failed
  const then = failed.type === 'CommandFailed' ? { waitMs: Date.parse(failed.retryAt) - Date.parse(failed.at) } : {}
  const reason = failed.type === 'CommandMovedToTroubleshooting' ? { reason: failed.reason } : {}
  log[level]({ ...about, ...then, ...reason, error }, line)
  return failed
}
