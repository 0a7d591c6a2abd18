import type { ReadReplica, ReplicaRead } from './replica.ts'

type AnyCall = (...args: never[]) => Promise<unknown>

/** Which of an object's calls, and of those in its members. */
export type CallNames<Calls> = {
  readonly [Name in keyof Calls]?: Calls[Name] extends AnyCall ? true : CallNames<Calls[Name]>
}

interface Nested {
  readonly [name: string]: AnyCall | Nested
}
interface Names {
  readonly [name: string]: true | Names
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
      Object.entries(named).map(([name, inner]) => [
        name,
        inner === true
          ? (...args: never[]) =>
              read(
                () => (other()[name] as AnyCall)(...args),
                () => (on[name] as AnyCall)(...args),
                options,
              )
          : route(on[name] as Nested, () => other()[name] as Nested, inner),
      ]),
    ),
  })
  return route(here as never, once as never, names as never) as never
}
