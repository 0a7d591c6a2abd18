import { isLeft } from 'fp-ts/lib/Either.js'
import type { Json } from '../../domain/json/json.ts'
import { errorMessage } from '../../domain/operation/error-catalogue.ts'
import { DEFAULT_MAX_RETRIES, OPERATIONS_DOMAIN, operationPolicy } from '../../domain/operation/policy.ts'
import { mayRetry, type Retriable, type RetryRejection, retryOperation } from '../../domain/operation/retry.ts'
import { type OperationStatus, operationStatus, operationStatuses } from '../../domain/operation/status.ts'
import type { CommandToSend, SendOutcome } from '../commands/send-command.ts'
import type { Scope } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { CommandDetail, CommandQueries, OwnedItem, Page } from '../ports/reading/command-queries.ts'
import { brandErrors } from '../shared/brand.ts'
import { CommandBusError, ForbiddenError } from '../shared/errors.ts'
import { commandIdOf, jsonOf, limitOf, oneOf, optional, textOf } from '../shared/input.ts'
import { isWithin } from '../shared/scope.ts'

/** A user's operation, as the user sees it. Times are ISO 8601. */
export interface Operation {
  readonly id: string
  readonly operation_type: string
  readonly status: OperationStatus
  /** In a list null where it has more than 4 KiB: `get` has it whole. */
  readonly result: Json
  /** Of a result that a list left out: its size as JSON text, and the beginning of that. */
  readonly result_bytes?: number
  readonly result_preview?: string
  /** What happened, then `What to do:`; only of a failed operation. */
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

export interface StartOperation {
  readonly operation_type: string
  readonly session_id?: string | null
  readonly message_id?: string | null
  /** Any JSON value the handler understands. */
  readonly parameters: unknown
}

/** Whose operation it is. Without a tenant, and without a scope, operations of all tenants are reached. */
export interface Owner extends Scope {
  readonly subject: string
  readonly tenant: string | null
}

export interface OperationFilter {
  readonly status?: OperationStatus
  readonly limit?: number
  readonly cursor?: string
}

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

export interface OperationsDeps {
  readonly queries: Pick<CommandQueries, 'get' | 'listOwned'>
  /** Sends one command; a duplicate is an outcome. */
  readonly send: (domain: string, command: CommandToSend) => Promise<SendOutcome>
  /** A UUID that is always the same for the same text. */
  readonly derivedId: (text: string) => string
  readonly clock: Clock
  readonly log: Log
  /** How long a chain of retries by hand may get. Default 20. */
  readonly maxRetries?: number | undefined
}

/** Operations are commands of the domain `operations` that belong to a user. */
export const createOperations = (deps: OperationsDeps) => {
  const maxRetries = deps.maxRetries ?? DEFAULT_MAX_RETRIES

  const find = async (id: string, owner: Owner): Promise<CommandDetail> => {
    const command = await deps.queries.get(OPERATIONS_DOMAIN, commandIdOf(id, 'id'))
    if (command === null || !isWithin(scopeOf(owner), command.tenantId)) throw new OperationNotFoundError()
    return command
  }

  const view = (command: OwnedItem, owner: Owner): Operation => operationOf(command, owner.subject, maxRetries)

  const send = async (
    owner: Owner,
    operationType: string,
    data: Json,
    more: Partial<CommandToSend>,
  ): Promise<{ readonly id: string; readonly made: boolean }> => {
    const outcome = await deps.send(OPERATIONS_DOMAIN, {
      ...operationPolicy,
      commandType: operationType,
      data,
      actor: owner.subject,
      ownerId: owner.subject,
      ...(owner.tenant === null ? {} : { tenantId: owner.tenant }),
      ...more,
    })
    return outcome.outcome === 'accepted'
      ? { id: outcome.sent.commandId, made: true }
      : { id: outcome.commandId, made: false }
  }

  /** What was just sent, as its row says; where rows follow the log, that may take a moment, and nothing is missing. */
  const made = async (owner: Owner, sent: Sent): Promise<Operation> => {
    const row = await deps.queries.get(OPERATIONS_DOMAIN, sent.id)
    return row === null ? pending(sent, deps.clock.now().toISOString()) : asMade(view(row, owner))
  }

  return {
    start: async (owner: Owner, start: StartOperation): Promise<Operation> => {
      const data = jsonOf(
        {
          session_id: optional(start.session_id, value => textOf(value, 'session_id', 128)),
          message_id: optional(start.message_id, value => textOf(value, 'message_id', 128)),
          parameters: start.parameters ?? null,
        },
        'parameters',
      )
      const { id } = await send(owner, start.operation_type, data, {})
      return made(owner, { id, operationType: start.operation_type, data, parentId: null, retryCount: 0 })
    },

    /** @throws OperationNotFoundError, ForbiddenError for another user's */
    get: async (owner: Owner, id: string): Promise<Operation> => {
      const command = await find(id, owner)
      if (command.ownerId !== owner.subject) throw new ForbiddenError('Unauthorized to see this operation')
      return view(command, owner)
    },

    /** The owner's own, newest first. */
    list: async (owner: Owner, filter: OperationFilter = {}): Promise<Page<Operation>> => {
      const { items, nextCursor } = await deps.queries.listOwned(OPERATIONS_DOMAIN, {
        ownerId: owner.subject,
        ...scopeOf(owner),
        ...(filter.status === undefined ? {} : { progress: operationStatusOf(filter.status) }),
        ...(filter.limit === undefined ? {} : { limit: limitOf(filter.limit) }),
        ...(filter.cursor === undefined ? {} : { cursor: filter.cursor }),
      })
      return { items: items.map(command => view(command, owner)), nextCursor }
    },

    /**
     * A new operation with the same type and parameters. Retried twice, the same child comes back.
     * @throws OperationNotFoundError, OperationNotRetriableError, ForbiddenError
     */
    retry: async (owner: Owner, id: string): Promise<Operation> => {
      const parent = await find(id, owner)
      const decided = retryOperation(retriableOf(parent), owner.subject, maxRetries)
      if (isLeft(decided)) throw refusalOf(decided.left)
      const child = decided.right
      const { id: childId, made: isNew } = await send(owner, child.operationType, child.data, {
        commandId: deps.derivedId(`operation:${child.name}`),
        parentCommandId: child.parentId,
        causationId: child.parentId,
        correlationId: parent.correlationId,
        retryCount: child.retryCount,
        // the parent's, also when its owner asks from outside the tenant
        ...(parent.tenantId === null ? {} : { tenantId: parent.tenantId }),
      })
      if (!isNew) {
        const found = await find(childId, owner)
        if (found.parentCommandId === parent.commandId && found.ownerId === owner.subject) return view(found, owner)
        throw new OperationNotRetriableError(
          'Another command has the id that the retry would get: start a new operation',
        )
      }
      deps.log.info(
        {
          originalOperationId: child.parentId,
          newOperationId: childId,
          retryCount: child.retryCount,
          operationType: child.operationType,
        },
        'an operation is retried',
      )
      return made(owner, { ...child, id: childId })
    },
  }
}

interface Sent {
  readonly id: string
  readonly operationType: string
  readonly data: Json
  readonly parentId: string | null
  readonly retryCount: number
}

const pending = ({ id, operationType, data, parentId, retryCount }: Sent, at: string): Operation => ({
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

/** A quick worker may have been at it already: whoever starts an operation is told what was started. */
const asMade = (operation: Operation): Operation => ({
  ...operation,
  status: 'pending',
  result: null,
  error_message: null,
  updated_at: operation.created_at,
  retriable: false,
})

const operationStatusOf = (value: unknown): OperationStatus => oneOf(operationStatuses, value, 'status')

const scopeOf = ({ tenantId, tenant }: Owner): Scope => {
  const within = tenantId ?? tenant
  return within === null ? {} : { tenantId: within }
}

export type Operations = ReturnType<typeof createOperations>

const retriableOf = (command: OwnedItem): Retriable => ({
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

const operationOf = (command: OwnedItem, asker: string, maxRetries: number): Operation => {
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
    retriable: mayRetry(retriableOf(command), asker, maxRetries),
  }
}

const cutResultOf = ({ resultBytes, resultPreview }: OwnedItem) =>
  resultBytes === undefined || resultPreview === undefined
    ? {}
    : { result_bytes: resultBytes, result_preview: resultPreview }

const refusalOf = (rejection: RetryRejection): CommandBusError => {
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
