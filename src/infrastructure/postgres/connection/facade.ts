import type { ClientBase, Pool } from 'pg'
import type { Home } from './home.ts'

export type Facades = WeakMap<object, object>

export const homes = new WeakMap<object, Home>()
/** How long a facade waits for a connection, and for the answer to a statement. */
export const timeouts = new WeakMap<object, number>()
export const raws = new WeakMap<object, object>()

/** The client that a user passed in, or that a user's handler gets. */
export const rawClient = <A extends ClientBase>(client: A): A => (raws.get(client) as A | undefined) ?? client

/** What a facade's statements share with those of other facades, and their time limit. */
export interface Terms {
  readonly home: Home
  readonly timeoutMs: number
}

/** The same object with some methods replaced. */
export const facadeOf = <A extends Pool | ClientBase>(
  target: A,
  { home, timeoutMs }: Terms,
  methods: Readonly<Record<string, unknown>>,
  known?: Facades,
): A => {
  const facade = new Proxy(target, {
    get: (_, key) => {
      if (typeof key === 'string' && Object.hasOwn(methods, key)) return methods[key]
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  known?.set(target, facade)
  raws.set(facade, target)
  homes.set(facade, home)
  timeouts.set(facade, timeoutMs)
  return facade
}

/** The facade that was made earlier on the same terms, if any. */
export const facadeIn = <A extends object>(known: Facades, target: A, { home, timeoutMs }: Terms): A | undefined => {
  const facade = known.get(target)
  return facade !== undefined && homes.get(facade) === home && timeouts.get(facade) === timeoutMs
    ? (facade as A)
    : undefined
}
