import type { RetryRejection } from '../../domain/operation/retry.ts'
import { brandErrors } from '../shared/brand.ts'
import { CommandBusError, ForbiddenError } from '../shared/errors.ts'

/** There is no operation with this id. */
export class OperationNotFoundError extends CommandBusError {
  override readonly name = 'OperationNotFoundError'
  constructor() {
    super('OPERATION_NOT_FOUND', 'Operation not found')
  }
}

/** The operation's status, or the length of its chain, does not allow a retry. */
export class OperationNotRetriableError extends CommandBusError {
  override readonly name = 'OperationNotRetriableError'
  constructor(message: string) {
    super('INVALID_REQUEST', message)
  }
}

brandErrors({ OperationNotFoundError, OperationNotRetriableError })

/** The public error for a retry that is refused. */
export const refusalOf = (rejection: RetryRejection): CommandBusError => {
  switch (rejection.type) {
    case 'NotTheOwner':
      return new ForbiddenError('Unauthorized to retry this operation')
    case 'NotFailed':
      return new OperationNotRetriableError('Can only retry failed operations')
    case 'TooManyRetries':
      return new OperationNotRetriableError(
        `This operation was retried ${rejection.max} times, and that is the limit: start a new one`,
      )
  }
}
