import { isLeft } from 'fp-ts/lib/Either.js'
import type { Json } from '../../domain/json/json.ts'
import { DEFAULT_MAX_RETRIES, OPERATIONS_DOMAIN, operationPolicy } from '../../domain/operation/policy.ts'
import { retryOperation } from '../../domain/operation/retry.ts'
import { type OperationStatus, operationStatuses } from '../../domain/operation/status.ts'
import type { CommandToSend, SendOutcome } from '../commands/send-command.ts'
import type { Principal, Scope } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { CommandDetail, CommandQueries, OwnedItem, Page } from '../ports/reading/command-queries.ts'
import { ForbiddenError } from '../shared/errors.ts'
import { commandIdOf, jsonOf, limitOf, oneOf, optional, textOf } from '../shared/input.ts'
import { isWithin } from '../shared/scope.ts'
import { OperationNotFoundError, OperationNotRetriableError, refusalOf } from './operation-errors.ts'
import { asMade, type Operation, operationOf, pending, retriableOf, type Sent } from './operation-view.ts'

/** A new operation: its type, and what its handler gets. */
export interface StartOperation {
  readonly operation_type: string
  readonly session_id?: string | null
  readonly message_id?: string | null
  /** The handler's payload: any JSON value. */
  readonly parameters: unknown
}

/** The user of an operation. Without a tenant and a scope: operations of all tenants. */
export interface OperationUser extends Principal, Scope {}

/** Which operations `operations.list` returns: at most `limit` of them, 1-100, newest first. */
export interface OperationFilter {
  readonly status?: OperationStatus
  readonly limit?: number
  readonly cursor?: string
}

export interface OperationsDeps {
  readonly queries: Pick<CommandQueries, 'get' | 'listOwned'>
  /** Sends one command; a duplicate is an outcome. */
  readonly send: (domain: string, command: CommandToSend) => Promise<SendOutcome>
  /** A UUID that is always the same for the same text. */
  readonly derivedId: (text: string) => string
  readonly clock: Clock
  readonly log: Log
  /** The longest chain of manual retries. Default 20. */
  readonly maxRetries?: number | undefined
}

/** Operations are commands of the domain `operations` that belong to a user. */
export const createOperations = (deps: OperationsDeps) => {
  const maxRetries = deps.maxRetries ?? DEFAULT_MAX_RETRIES

  const find = async (id: string, user: OperationUser): Promise<CommandDetail> => {
    const command = await deps.queries.get(OPERATIONS_DOMAIN, commandIdOf(id, 'id'))
    if (command === null || !isWithin(scopeOf(user), command.tenantId)) throw new OperationNotFoundError()
    return command
  }

  const view = (command: OwnedItem, user: OperationUser): Operation => operationOf(command, user.subject, maxRetries)

  const send = async (
    user: OperationUser,
    operationType: string,
    data: Json,
    more: Partial<CommandToSend>,
  ): Promise<{ readonly id: string; readonly made: boolean }> => {
    const outcome = await deps.send(OPERATIONS_DOMAIN, {
      ...operationPolicy,
      commandType: operationType,
      data,
      actor: user.subject,
      ownerId: user.subject,
      ...(user.tenant === null ? {} : { tenantId: user.tenant }),
      ...more,
    })
    return outcome.outcome === 'accepted'
      ? { id: outcome.sent.commandId, made: true }
      : { id: outcome.commandId, made: false }
  }

  /** The operation that was just sent, from its row, or from the send itself while rows follow the log. */
  const made = async (user: OperationUser, sent: Sent): Promise<Operation> => {
    const row = await deps.queries.get(OPERATIONS_DOMAIN, sent.id)
    return row === null ? pending(sent, deps.clock.now().toISOString()) : asMade(view(row, user))
  }

  return {
    start: async (user: OperationUser, start: StartOperation): Promise<Operation> => {
      const data = jsonOf(
        {
          session_id: optional(start.session_id, value => textOf(value, 'session_id', 128)),
          message_id: optional(start.message_id, value => textOf(value, 'message_id', 128)),
          parameters: start.parameters ?? null,
        },
        'parameters',
      )
      const { id } = await send(user, start.operation_type, data, {})
      return made(user, { id, operationType: start.operation_type, data, parentId: null, retryCount: 0 })
    },

    /** @throws OperationNotFoundError; ForbiddenError for another user's operation */
    get: async (user: OperationUser, id: string): Promise<Operation> => {
      const command = await find(id, user)
      if (command.ownerId !== user.subject) throw new ForbiddenError('Unauthorized to see this operation')
      return view(command, user)
    },

    /** The owner's operations, newest first. */
    list: async (user: OperationUser, filter: OperationFilter = {}): Promise<Page<Operation>> => {
      const { items, nextCursor } = await deps.queries.listOwned(OPERATIONS_DOMAIN, {
        ownerId: user.subject,
        ...scopeOf(user),
        ...(filter.status === undefined ? {} : { progress: operationStatusOf(filter.status) }),
        ...(filter.limit === undefined ? {} : { limit: limitOf(filter.limit) }),
        ...(filter.cursor === undefined ? {} : { cursor: filter.cursor }),
      })
      return { items: items.map(command => view(command, user)), nextCursor }
    },

    /**
     * A new operation with the same type and parameters. A second retry returns the same new operation.
     * @throws OperationNotFoundError, OperationNotRetriableError, ForbiddenError
     */
    retry: async (user: OperationUser, id: string): Promise<Operation> => {
      const parent = await find(id, user)
      const decided = retryOperation(retriableOf(parent), user.subject, maxRetries)
      if (isLeft(decided)) throw refusalOf(decided.left)
      const child = decided.right
      const { id: childId, made: isNew } = await send(user, child.operationType, child.data, {
        commandId: deps.derivedId(`operation:${child.name}`),
        parentCommandId: child.parentId,
        causationId: child.parentId,
        correlationId: parent.correlationId,
        retryCount: child.retryCount,
        // the parent's tenant, even if its owner calls without one
        ...(parent.tenantId === null ? {} : { tenantId: parent.tenantId }),
      })
      if (!isNew) {
        const found = await find(childId, user)
        if (found.parentCommandId === parent.commandId && found.ownerId === user.subject) return view(found, user)
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
      return made(user, { ...child, id: childId })
    },
  }
}

const operationStatusOf = (value: unknown): OperationStatus => oneOf(operationStatuses, value, 'status')

const scopeOf = ({ tenantId, tenant }: OperationUser): Scope => {
  const within = tenantId ?? tenant
  return within === null ? {} : { tenantId: within }
}
