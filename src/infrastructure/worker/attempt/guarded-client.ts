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
  /** The handler has ended: what it still asks of a client that it kept is refused, as the connection is another's next. */
  readonly close: () => void
}

/** How an attempt has failed whose handler tried that. */
export const transactionEnded = (tried: string): CommandError =>
  failure(
    'PERMANENT',
    'TRANSACTION_ENDED',
    `the handler tried to end the transaction it was given (${tried}): it must leave that to its worker`,
  )

const forbidden = new Set(['end', 'release', 'connect'])
/** What listens goes on listening. */
const listening = new Set(['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'])

/** A client that refuses to end its transaction. What gets past it is stopped by the database. */
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
    if (closed)
      return refused(args, new Error('the handler has ended: the client it was given is not its own any more'))
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

/** The SQL of whatever `query` takes: a text, a configuration, a cursor or a stream of rows. */
const textOf = (query: unknown): string | null => {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null) return null
  if ('text' in query && typeof query.text === 'string') return query.text
  return 'cursor' in query ? textOf(query.cursor) : null
}
