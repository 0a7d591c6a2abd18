import type { ClientBase } from 'pg'
import type { CommandError } from '../../../domain/command/events.ts'
import { failure } from '../failures/failures.ts'
import { endOfTransaction, leavesTraces } from './statements.ts'

export interface GuardedClient {
  readonly client: ClientBase
  /** The forbidden statement that the handler tried; null: none. */
  readonly tried: () => string | null
  /** Whether it may leave a setting, a lock or a temporary table on the session, which is then closed. */
  readonly isMarked: () => boolean
  /** The handler has ended: refuses all further use, as the connection goes to another handler. */
  readonly close: () => void
}

/** The error of an attempt whose handler tried to end its transaction. */
export const transactionEnded = (tried: string): CommandError =>
  failure(
    'PERMANENT',
    'TRANSACTION_ENDED',
    `the handler tried to end the transaction it was given (${tried}): it must leave that to its worker`,
  )

const forbidden = new Set(['end', 'release', 'connect'])
/** Methods that add a listener, which stay on the real client. */
const listening = new Set(['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'])

/** A client that refuses to end its transaction. The database stops what this check misses. */
export const guardedClient = (client: ClientBase): GuardedClient => {
  let tried: string | null = null
  let marked = false
  let closed = false
  const refuse = (what: string): Error => {
    tried ??= what
    return new Error(`a handler must not end the transaction it was given: ${what} is refused`)
  }
  const query = (...args: readonly unknown[]): unknown => {
    const text = textOf(args[0])
    if (closed) return refused(args, new Error('the handler has ended and must not use its client any more'))
    const end = text === null ? 'a query without a text' : endOfTransaction(text)
    if (text !== null && !marked) marked = leavesTraces(text)
    if (end === null) return Reflect.apply(client.query as never, client, args as never)
    return refused(args, refuse(end.toUpperCase()))
  }
  const guarded = new Proxy(client, {
    get: (target, name) => {
      if (name === 'query') return query
      if (forbidden.has(String(name))) {
        return () => {
          throw refuse(`${String(name)}()`)
        }
      }
      if (listening.has(String(name))) marked = true
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return {
    client: guarded,
    tried: () => tried,
    isMarked: () => marked,
    close: () => {
      closed = true
    },
  }
}

const refused = (args: readonly unknown[], error: Error): Promise<never> | undefined => {
  const callback = args.findLast(arg => typeof arg === 'function') as ((error: Error) => void) | undefined
  if (callback === undefined) return Promise.reject(error)
  queueMicrotask(() => callback(error))
  return undefined
}

/** The SQL of any argument of `query`: a text, a configuration, a cursor or a stream of rows. */
const textOf = (query: unknown): string | null => {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null) return null
  if ('text' in query && typeof query.text === 'string') return query.text
  return 'cursor' in query ? textOf(query.cursor) : null
}
