import type { ClientBase } from 'pg'
import { endOfTransaction } from './statements.ts'

export interface GuardedClient {
  readonly client: ClientBase
  /** What the handler tried that it must not do; null: nothing. */
  readonly tried: () => string | null
}

const forbidden = new Set(['end', 'release', 'connect'])

/** A client that refuses to end its transaction. What gets past it is stopped by the database. */
export const guardedClient = (client: ClientBase): GuardedClient => {
  let tried: string | null = null
  const refuse = (what: string): Error => {
    tried ??= what
    return new Error(`a handler must not end the transaction it was given: ${what} is refused`)
  }
  const query = (...args: readonly unknown[]): unknown => {
    const text = textOf(args[0])
    const end = text === null ? 'a query without a text' : endOfTransaction(text)
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
  return { client: guarded, tried: () => tried }
}

/** The SQL of whatever `query` takes: a text, a configuration, a cursor or a stream of rows. */
const textOf = (query: unknown): string | null => {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null) return null
  if ('text' in query && typeof query.text === 'string') return query.text
  return 'cursor' in query ? textOf(query.cursor) : null
}
