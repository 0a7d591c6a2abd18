import type { Json } from '../../domain/json/json.ts'
import { brandErrors } from '../shared/brand.ts'

/** Thrown by a handler; the class decides what happens next. `details` must be JSON; the history keeps the `cause`. */
abstract class CommandError extends Error {
  readonly code: string
  readonly details: Json | undefined
  constructor(code: string, message: string, details?: Json, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** A later attempt may succeed: tried again after the policy's wait, and parked when no attempts are left. */
export class TransientCommandError extends CommandError {
  override readonly name = 'TransientCommandError'
}

/** No further attempt can succeed: the command is parked at once, for an operator. */
export class PermanentCommandError extends CommandError {
  override readonly name = 'PermanentCommandError'
}

/** A business rule refuses the command: it ends FAILED, the sender gets a reply, and no operator is needed. */
export class BusinessRuleError extends CommandError {
  override readonly name = 'BusinessRuleError'
}

brandErrors({ TransientCommandError, PermanentCommandError, BusinessRuleError })
