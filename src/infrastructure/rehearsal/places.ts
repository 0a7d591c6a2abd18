import { UnavailableError } from '../../application/shared/errors.ts'

const AT_ONCE = 4
/** One place is left for others, so that one tenant's slow handlers do not block them. */
const OF_A_TENANT = 3

/** Does work for a tenant (null: for none) in one of few places. @throws UnavailableError when none is free */
export type InPlace = <A>(tenantId: string | null, work: () => Promise<A>) => Promise<A>

/** Each piece of work costs a process or a connection: at most four at once, and three of one tenant. `what` names them in errors. */
export const createPlaces = (what: string): InPlace => {
  const taken = new Map<string | null, number>()
  let running = 0
  return async (tenantId, work) => {
    const own = taken.get(tenantId) ?? 0
    if (running >= AT_ONCE || own >= OF_A_TENANT) {
      throw new UnavailableError(
        `${own >= OF_A_TENANT ? own : running} ${what}, which is the most at once: try again in a moment`,
      )
    }
    running++
    taken.set(tenantId, own + 1)
    try {
      return await work()
    } finally {
      running--
      const left = (taken.get(tenantId) ?? 1) - 1
      if (left === 0) taken.delete(tenantId)
      else taken.set(tenantId, left)
    }
  }
}
