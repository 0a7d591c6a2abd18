import type { ErrorType } from '../../domain/command/events.ts'
import type { Json } from '../../domain/json/json.ts'
import type { FollowUp, RehearsalAnswer } from '../ports/rehearsals.ts'

/** How an attempt ended, in the log or in a rehearsal. */
export type AttemptOutcome =
  | {
      readonly kind: 'succeeded'
      readonly result: Json
      /** The commands it sent in its transaction; missing: not known. */
      readonly sent?: readonly FollowUp[]
    }
  | {
      readonly kind: 'failed'
      readonly type: FailureType
      readonly code: string
      readonly message: string
      /** The place in the user's code, as in `src/charge.ts:41 in charge`. */
      readonly frame?: string
    }

/** Besides the errors of the log: it did not end in time, and it ended its process. */
export type FailureType = ErrorType | 'TIMEOUT' | 'CRASHED'

/** The outcome of a rehearsal that has run. */
export const outcomeOf = (answer: Exclude<RehearsalAnswer, { kind: 'refused' }>): AttemptOutcome => {
  switch (answer.kind) {
    case 'succeeded':
      return { kind: 'succeeded', result: answer.result, ...(answer.sent === undefined ? {} : { sent: answer.sent }) }
    case 'failed': {
      const { type, code, message, frame } = answer.error
      return { kind: 'failed', type, code, message, ...(frame === undefined ? {} : { frame }) }
    }
    case 'timeout':
      return { kind: 'failed', type: 'TIMEOUT', code: 'REHEARSAL_TIMEOUT', message: answer.message }
    case 'crashed':
      return { kind: 'failed', type: 'CRASHED', code: 'REHEARSAL_CRASHED', message: answer.message }
  }
}
