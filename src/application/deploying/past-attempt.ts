import type { CommandEvent, CommandKey } from '../../domain/command/events.ts'
import { command } from '../../domain/command/index.ts'
import { attemptLimit } from '../../domain/command/state.ts'
import { fold } from '../../domain/decider.ts'
import { handledCommand } from '../ports/handled-command.ts'
import type { RehearsalRequest } from '../ports/rehearsals.ts'
import type { AttemptOutcome } from './attempt-outcome.ts'

/** The last attempt of a command, as it was and as it ended. */
export interface PastAttempt {
  readonly request: Omit<RehearsalRequest, 'deadlineMs'>
  readonly outcome: AttemptOutcome
  /** Revision of the event with the outcome. */
  readonly revision: number
}

/** The last attempt of a command, from its whole history; null: none has ended yet. */
export const pastAttempt = (key: CommandKey, events: readonly CommandEvent[]): PastAttempt | null => {
  const revision = events.findLastIndex(event => outcomeIn(event) !== null)
  const event = events[revision]
  const outcome = event === undefined ? null : outcomeIn(event)
  if (outcome === null || event === undefined || !('attempt' in event)) return null
  // what came later, such as an operator's edit, was not known to that attempt
  const state = fold(command, events.slice(0, revision + 1))
  if (state.status === 'NONE') return null
  return {
    revision,
    outcome,
    request: {
      command: handledCommand(key, state.sent, state.data),
      attempt: event.attempt,
      maxAttempts: Math.max(attemptLimit(state), event.attempt),
      totalAttempts: state.totalAttempts,
    },
  }
}

const outcomeIn = (event: CommandEvent): AttemptOutcome | null => {
  switch (event.type) {
    case 'CommandCompleted':
      return { kind: 'succeeded', result: event.result }
    case 'CommandFailed':
    case 'CommandMovedToTroubleshooting':
    case 'CommandRejectedByBusinessRule':
    case 'CommandExhausted':
    case 'OperatorEndedAttempt': {
      const { type, code, message, frame } = event.error
      return { kind: 'failed', type, code, message, ...(frame === undefined ? {} : { frame }) }
    }
    default:
      return null
  }
}
