import type { ReadReplica, ReplicaRead } from './replica.ts'

type AnyCall = (...args: never[]) => Promise<unknown>

/** Which of an object's calls, and of those in its members: always, or where their arguments allow it. */
export type CallNames<Calls> = {
  readonly [Name in keyof Calls]?: Calls[Name] extends AnyCall
    ? true | ((...args: Parameters<Calls[Name]>) => boolean)
    : CallNames<Calls[Name]>
}

interface Nested {
  readonly [name: string]: AnyCall | Nested
}
interface Names {
  readonly [name: string]: true | ((...args: never[]) => boolean) | Names
}

/**
 * The calls `here`, of which those in `names` are made `there`, on the replica, while it is used. `there` is made when it
 * is needed first.
 */
export const routedCalls = <Calls extends object>(
  read: ReadReplica,
  here: Calls,
  there: () => Calls,
  names: CallNames<Calls>,
  options?: ReplicaRead,
): Calls => {
  let made: Calls | undefined
  const once = (): Calls => {
    made ??= there()
    return made
  }
  const route = (on: Nested, other: () => Nested, named: Names): Nested => ({
    ...on,
    ...Object.fromEntries(
      Object.entries(named).map(([name, may]) => {
        if (typeof may === 'object') return [name, route(on[name] as Nested, () => other()[name] as Nested, may)]
        const routed = (...args: never[]) => {
          const onPrimary = () => (on[name] as AnyCall)(...args)
          if (may !== true && !may(...args)) return onPrimary()
          return read(() => (other()[name] as AnyCall)(...args), onPrimary, options)
        }
        return [name, routed]
      }),
    ),
  })
  return route(here as never, once as never, names as never) as never
}
