import type { Json } from '../../domain/json/json.ts'
import { brandErrors } from '../shared/brand.ts'

/** What a handler throws to say how its failure is to be treated. `details` must be JSON; a `cause` is kept in the history. */
abstract class CommandError extends Error {
  readonly code: string
  readonly details: Json | undefined
  constructor(code: string, message: string, details?: Json, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** May work next time: tried again after the policy's wait, parked when the attempts run out. */
export class TransientCommandError extends CommandError {
  override readonly name = 'TransientCommandError'
}

/** Will never work as it is: parked at once, for an operator. */
export class PermanentCommandError extends CommandError {
  override readonly name = 'PermanentCommandError'
}

/** The business says no: the command ends FAILED and the sender is told; no operator is needed. */
export class BusinessRuleError extends CommandError {
  override readonly name = 'BusinessRuleError'
}

brandErrors({ TransientCommandError, PermanentCommandError, BusinessRuleError })
