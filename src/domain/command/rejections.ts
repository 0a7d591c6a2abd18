import type { Instant } from '../instant.ts'
import type { CommandStatus } from './transitions.ts'

/** Why an intent was refused. A refusal leaves no event. */
export type CommandRejection =
  | { readonly type: 'AlreadySent'; readonly status: CommandStatus }
  | { readonly type: 'NotFound' }
  | { readonly type: 'NotInTroubleshooting'; readonly status: CommandStatus }
  | { readonly type: 'NotPending'; readonly status: CommandStatus }
  /** It was begun or has ended: it cannot be put off any more. */
  | { readonly type: 'Begun'; readonly status: CommandStatus }
  /** It would expire before the time at which it is to run. */
  | { readonly type: 'ExpiresBefore'; readonly expiresAt: Instant }
  | { readonly type: 'NotInProgress'; readonly status: CommandStatus }
  /** The message belongs to a command that is finished or parked. */
  | { readonly type: 'NothingToDo'; readonly status: CommandStatus }
  /** The report is of an attempt that is not the present one. */
  | {
      readonly type: 'StaleAttempt'
      readonly status: CommandStatus
      readonly reported: number
      readonly present: number
    }
  | { readonly type: 'BlankReason' }
  /** It has other events than those that the operator has seen. */
  | { readonly type: 'Moved'; readonly status: CommandStatus }
