import type { ClientBase } from 'pg'
import type { CommandError } from '../../../domain/command/events.ts'
import { failure } from '../failures/failures.ts'
import { endOfTransaction, leavesTraces } from './statements.ts'

export interface GuardedClient {
  readonly client: ClientBase
  /** What the handler tried that it must not do; null: nothing. */
  readonly tried: () => string | null
  /** Whether something of it may stay on the session: a setting, a lock, a temporary table. Nobody else gets it then. */
  readonly isMarked: () => boolean
}

/** How an attempt has failed whose handler tried that. */
export const transactionEnded = (tried: string): CommandError =>
  failure(
    'PERMANENT',
    'TRANSACTION_ENDED',
    `the handler tried to end the transaction it was given (${tried}): it must leave that to its worker`,
  )

const forbidden = new Set(['end', 'release', 'connect'])

/** A client that refuses to end its transaction. What gets past it is stopped by the database. */
export const guardedClient = (client: ClientBase): GuardedClient => {
  let tried: string | null = null
  let marked = false
  const refuse = (what: string): Error => {
    tried ??= what
    return new Error(`a handler must not end the transaction it was given: ${what} is refused`)
  }
  const query = (...args: readonly unknown[]): unknown => {
    const text = textOf(args[0])
    const end = text === null ? 'a query without a text' : endOfTransaction(text)
    if (text !== null && !marked) marked = leavesTraces(text)
    if (end === null) return Reflect.apply(client.query as never, client, args as never)
    const error = refuse(end.toUpperCase())
    const callback = args.findLast(arg => typeof arg === 'function') as ((error: Error) => void) | undefined
    if (callback === undefined) return Promise.reject(error)
    queueMicrotask(() => callback(error))
    return undefined
  }
  const guarded = new Proxy(client, {
    get: (target, name) => {
      if (name === 'query') return query
      if (forbidden.has(String(name))) {
        return () => {
          throw refuse(`${String(name)}()`)
        }
      }
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return { client: guarded, tried: () => tried, isMarked: () => marked }
}

/** The SQL of whatever `query` takes: a text, a configuration, a cursor or a stream of rows. */
const textOf = (query: unknown): string | null => {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null) return null
  if ('text' in query && typeof query.text === 'string') return query.text
  return 'cursor' in query ? textOf(query.cursor) : null
}
