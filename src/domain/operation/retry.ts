import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Json } from '../json/json.ts'
import type { OperationStatus } from './status.ts'

export interface Retriable {
  readonly id: string
  readonly operationType: string
  readonly status: OperationStatus
  readonly ownerId: string | null
  readonly retryCount: number
  readonly data: Json
}

export type RetryRejection =
  | { readonly type: 'NotTheOwner' }
  | { readonly type: 'NotFailed'; readonly status: OperationStatus }
  | { readonly type: 'TooManyRetries'; readonly max: number }

/** A child to send. Its id derives from `name`, so that two clicks make one child. */
export interface ChildOperation {
  readonly name: string
  readonly parentId: string
  readonly operationType: string
  readonly retryCount: number
  readonly data: Json
}

/** The owner may retry a failed operation, within the limit of its chain. */
export const retryOperation = (
  operation: Retriable,
  subject: string,
  maxRetries: number,
): Either<RetryRejection, ChildOperation> => {
  if (operation.ownerId !== subject) return left({ type: 'NotTheOwner' })
  if (operation.status !== 'failed') return left({ type: 'NotFailed', status: operation.status })
  const retryCount = operation.retryCount + 1
  if (retryCount > maxRetries) return left({ type: 'TooManyRetries', max: maxRetries })
  return right({
    name: `${operation.id}:${retryCount}`,
    parentId: operation.id,
    operationType: operation.operationType,
    retryCount,
    data: operation.data,
  })
}

export const mayRetry = (operation: Retriable, subject: string, maxRetries: number): boolean =>
  retryOperation(operation, subject, maxRetries)._tag === 'Right'
