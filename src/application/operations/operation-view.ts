import type { Json } from '../../domain/json/json.ts'
import { errorMessage } from '../../domain/operation/error-catalogue.ts'
import { mayRetry, type Retriable } from '../../domain/operation/retry.ts'
import { type OperationStatus, operationStatus } from '../../domain/operation/status.ts'
import type { OwnedItem } from '../ports/reading/command-queries.ts'

/** A user's operation, as the user sees it. Times are ISO 8601. */
export interface Operation {
  readonly id: string
  readonly operation_type: string
  readonly status: OperationStatus
  /** In lists null if it has more than 4 KiB: `get` returns it whole. */
  readonly result: Json
  /** Of a result that a list left out: the size and the beginning of its JSON text. */
  readonly result_bytes?: number
  readonly result_preview?: string
  /** Only of a failed operation: what happened, then `What to do:`. */
  readonly error_message: string | null
  readonly parent_operation_id: string | null
  readonly retry_count: number
  readonly session_id: string | null
  readonly message_id: string | null
  readonly created_at: string
  readonly updated_at: string
  /** The owner may retry it now. */
  readonly retriable: boolean
}

export const retriableOf = (command: OwnedItem): Retriable => ({
  id: command.commandId,
  operationType: command.commandType,
  status: operationStatus(command.status, command.totalAttempts),
  ownerId: command.ownerId,
  retryCount: command.retryCount,
  data: command.data,
})

const belongsTo = (data: Json): Pick<Operation, 'session_id' | 'message_id'> => {
  const { session_id = null, message_id = null } = (data ?? {}) as {
    readonly session_id?: string | null
    readonly message_id?: string | null
  }
  return { session_id, message_id }
}

export const operationOf = (command: OwnedItem, subject: string, maxRetries: number): Operation => {
  const status = operationStatus(command.status, command.totalAttempts)
  return {
    id: command.commandId,
    operation_type: command.commandType,
    status,
    result: command.result,
    ...cutResultOf(command),
    error_message: status === 'failed' ? errorMessage(command.lastErrorCode ?? '') : null,
    parent_operation_id: command.parentCommandId,
    retry_count: command.retryCount,
    ...belongsTo(command.data),
    created_at: command.createdAt,
    updated_at: command.updatedAt,
    retriable: mayRetry(retriableOf(command), subject, maxRetries),
  }
}

const cutResultOf = ({ resultBytes, resultPreview }: OwnedItem) =>
  resultBytes === undefined || resultPreview === undefined
    ? {}
    : { result_bytes: resultBytes, result_preview: resultPreview }

export interface Sent {
  readonly id: string
  readonly operationType: string
  readonly data: Json
  readonly parentId: string | null
  readonly retryCount: number
}

export const pending = ({ id, operationType, data, parentId, retryCount }: Sent, at: string): Operation => ({
  id,
  operation_type: operationType,
  status: 'pending',
  result: null,
  error_message: null,
  parent_operation_id: parentId,
  retry_count: retryCount,
  ...belongsTo(data),
  created_at: at,
  updated_at: at,
  retriable: false,
})

/** The operation as it was started, even if a fast worker has changed it already. */
export const asMade = (operation: Operation): Operation => ({
  ...operation,
  status: 'pending',
  result: null,
  error_message: null,
  updated_at: operation.created_at,
  retriable: false,
})
