import { HandlerAlreadyRegisteredError, InvalidInputError } from '../../application/shared/errors.ts'
import { commandTypeOf } from '../../application/shared/input.ts'
import { type AnyHandler, definitionOf, type Handler, handlerFault } from './attempt/handler.ts'

export interface RegistryOptions {
  readonly domain: string
  /** Whether handlers can share the transaction that completes their command. */
  readonly transactional: boolean
  /** The size of a pool that is too small for transactional handlers; null: it is large enough. */
  readonly poolSize?: number | null
}

/** The handlers of a worker: one for each command type, `*` for all other types. Checked when registered. */
export const createRegistry = (
  { domain, transactional, poolSize = null }: RegistryOptions,
  given: { readonly [commandType: string]: Handler } = {},
) => {
  const handlers = new Map<string, AnyHandler>()
  const handle = (commandType: string, handler: Handler): void => {
    if (commandType !== '*') commandTypeOf(commandType)
    if (handlers.has(commandType)) throw new HandlerAlreadyRegisteredError(domain, commandType)
    const fault = handlerFault(handler, domain, commandType)
    if (fault !== null) throw new InvalidInputError(`handlers.${commandType}`, fault)
    const definition = definitionOf(handler)
    if (definition.transactional === true && !transactional) {
      throw new InvalidInputError(
        'transactional',
        `is not possible for '${commandType}': the log is in EventStoreDB and cannot take part in a transaction of ` +
          'PostgreSQL; leave it out, and make what the handler writes idempotent by the command id',
      )
    }
    if (definition.transactional === true && poolSize !== null) {
      throw new InvalidInputError(
        'maxConnections',
        `must be at least 2 for the transactional handler of '${commandType}', not ${poolSize}: it holds one connection ` +
          'while it runs, and what it sends needs another',
      )
    }
    handlers.set(commandType, definition)
  }
  for (const [commandType, handler] of Object.entries(given)) handle(commandType, handler)
  return {
    handle,
    handlerOf: (commandType: string) => handlers.get(commandType) ?? handlers.get('*'),
    types: (): readonly string[] => [...handlers.keys()],
    anyTransactional: () => [...handlers.values()].some(handler => handler.transactional === true),
  }
}
