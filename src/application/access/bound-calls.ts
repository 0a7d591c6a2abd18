import { OPERATIONS_DOMAIN } from '../../domain/operation/policy.ts'
import { callNeeds, type NeedsOf, needsNamed } from '../permits/call-needs.ts'
import type { Permission } from '../ports/authorization.ts'
import { type Calling, demand, demandPermits, hideFrom } from './calling.ts'

type Call = (calling: Calling, ...args: never[]) => Promise<unknown>

/** A permission for every call: one without is a type error. */
type PermissionsOf<Calls> = {
  readonly [Name in keyof Calls]: Calls[Name] extends Call ? Permission : PermissionsOf<Calls[Name]>
}

/** The same calls without their first argument. */
export type BoundCalls<Calls> = {
  readonly [Name in keyof Calls]: Calls[Name] extends (calling: Calling, ...args: infer Args) => infer Result
    ? (...args: Args) => Result
    : BoundCalls<Calls[Name]>
}

/**
 * Makes objects with these calls; each call checks its permission first, and what the identity's own
 * permissions narrow it to. A call is bound when it is looked up, because
 * each request makes an object and most requests make one call.
 */
export const bindCalls = <Calls extends object>(
  calls: Calls,
  permissions: PermissionsOf<Calls>,
  needs: ReturnType<typeof needsNamed> = callNeeds,
): ((calling: Calling) => BoundCalls<Calls>) => {
  class Bound {
    readonly #calling: Calling
    constructor(calling: Calling) {
      this.#calling = calling
    }
    static {
      for (const [name, call] of Object.entries<Call | object>(calls as never)) {
        const needed = permissions[name as keyof Calls] as never
        const narrowed = needsNamed(needs, name) ?? {}
        const bind =
          typeof call === 'function'
            ? bindCall(call as Call, needed, typeof narrowed === 'function' ? narrowed : everywhere)
            : bindCalls(call, needed, narrowed)
        Object.defineProperty(Bound.prototype, name, {
          enumerable: true,
          get(this: Bound) {
            return bind(this.#calling)
          },
        })
      }
    }
  }
  return calling => new Bound(calling) as unknown as BoundCalls<Calls>
}

/** For calls that are not of a domain. */
const everywhere: NeedsOf = (_, permission) => [{ name: permission, domain: null }]

const bindCall =
  (call: Call, needed: Permission, needsOf: NeedsOf) =>
  (calling: Calling) =>
  async (...args: readonly never[]): Promise<unknown> => {
    demand(calling, needed)
    if (calling.identity.permissions !== undefined) {
      demandPermits(calling, await needsOf(args, needed, calling))
    }
    const answer = await call(calling, ...args)
    // a sender gets ids, and the reply to its own request
    return needed === 'send' ? answer : hideFrom(calling, answer, needed === 'operations' ? OPERATIONS_DOMAIN : null)
  }
