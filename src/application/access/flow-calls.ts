import type { CauseFilter, Causes } from '../flow/causes.ts'
import type { LaneOptions, LimitOptions } from '../flow/lane-input.ts'
import type { LimitsFilter } from '../flow/limits.ts'
import type { PauseOptions, PausesFilter } from '../flow/pauses.ts'
import type { LaneFilter } from '../ports/reading/lane-queries.ts'
import type { WorkerFilter } from '../ports/reading/worker-queries.ts'
import { ForbiddenError } from '../shared/errors.ts'
import { NO_TENANT } from '../shared/scope.ts'
import type { CallersFilter, Calling } from './calling.ts'

/** A caller with a tenant pauses its own only; one without pauses what is of all tenants, and one tenant with ADMIN only. */
const ownTenant = ({ identity, scope, log }: Calling, named: string | undefined): { readonly tenantId?: string } => {
  if (scope.tenantId === undefined) return named === undefined ? {} : { tenantId: named }
  const own = scope.tenantId === NO_TENANT ? undefined : scope.tenantId
  if (named !== undefined && named !== own) {
    const { subject, tenant } = identity
    log.warn({ security: 'cross-tenant access', subject, tenant, asked: named }, 'another tenant was named')
    throw new ForbiddenError(
      own === undefined ? 'to name a tenant, this token needs role ADMIN' : 'this token is bound to another tenant',
    )
  }
  return own === undefined ? {} : { tenantId: own }
}

export const pauseCalls = {
  /** Pauses a domain, a type or a tenant; a caller of a tenant only that tenant. @throws AlreadyPausedError */
  pause: async (calling: Calling, { tenantId, ...options }: Omit<PauseOptions, 'operator'>) => {
    const operator = calling.identity.subject
    return calling.bus.pause({ ...options, ...ownTenant(calling, tenantId), operator })
  },
  /** Ends a pause that the caller may see. @throws PauseNotFoundError */
  resume: async (calling: Calling, pauseId: string) => {
    return calling.bus.resume(pauseId, { ...calling.scope, operator: calling.identity.subject })
  },
  /** Those of the caller's tenant, and those for all tenants. */
  pauses: async (calling: Calling, filter: CallersFilter<PausesFilter> = {}) => {
    return calling.bus.pauses({ ...filter, ...calling.scope })
  },
}

/** Lanes and causes are of a domain, and so of all tenants: a caller of one tenant does not decide for the others. */
const refuseTenants = ({ scope, identity, log }: Calling, what = 'lanes and limits'): void => {
  if (scope.tenantId === undefined || scope.tenantId === NO_TENANT) return
  const { subject, tenant } = identity
  log.warn({ security: 'cross-tenant access', subject, tenant }, 'settings for all tenants were asked for')
  throw new ForbiddenError(`${what} are for all tenants: this needs a token without a tenant`)
}

const byOperator = <Options>(calling: Calling, options: Options, what?: string) => {
  refuseTenants(calling, what)
  return { ...options, operator: calling.identity.subject }
}

export const laneCalls = {
  /** Lanes with commands that the caller may see, of which nothing else is shown. */
  list: async (calling: Calling, filter: CallersFilter<LaneFilter> = {}) => {
    return calling.bus.lanes.list({ ...filter, ...calling.scope })
  },
  get: async (calling: Calling, domain: string, lane: string) => {
    return calling.bus.lanes.get(domain, lane, calling.scope)
  },
  set: async (calling: Calling, domain: string, lane: string, options: Omit<LaneOptions, 'operator'>) => {
    return calling.bus.lanes.set(domain, lane, { ...byOperator(calling, options), ...calling.scope })
  },
  listAt: async (calling: Calling, at: string, filter: Pick<LaneFilter, 'domain'> = {}) => {
    refuseTenants(calling)
    return calling.bus.lanes.listAt(at, filter)
  },
}

export const limitCalls = {
  list: async (calling: Calling, filter: LimitsFilter = {}) => {
    refuseTenants(calling)
    return calling.bus.limits.list(filter)
  },
  get: async (calling: Calling, domain: string, name: string) => {
    refuseTenants(calling)
    return calling.bus.limits.get(domain, name)
  },
  set: async (calling: Calling, domain: string, name: string, options: Omit<LimitOptions, 'operator'>) => {
    return calling.bus.limits.set(domain, name, byOperator(calling, options))
  },
  delete: async (calling: Calling, domain: string, name: string) => {
    return calling.bus.limits.delete(domain, name, byOperator(calling, {}))
  },
}

export const workerCalls = {
  list: async ({ bus, scope }: Calling, filter: CallersFilter<WorkerFilter> = {}) => {
    return bus.workers.list({ ...filter, ...scope })
  },
  missing: async ({ bus, scope }: Calling, filter: CallersFilter<WorkerFilter> = {}) => {
    return bus.workers.missing({ ...filter, ...scope })
  },
}

const CAUSES = 'notes on causes'

type CallersCause<Call extends keyof Causes> = Omit<Parameters<Causes[Call]>[0], 'operator'>

export const causeCalls = {
  list: async (calling: Calling, filter: CauseFilter = {}) => {
    refuseTenants(calling, CAUSES)
    return calling.bus.causes.list(filter)
  },
  note: async (calling: Calling, options: CallersCause<'note'>) => {
    return calling.bus.causes.note(byOperator(calling, options, CAUSES))
  },
  assign: async (calling: Calling, options: CallersCause<'assign'>) => {
    return calling.bus.causes.assign(byOperator(calling, options, CAUSES))
  },
  tag: async (calling: Calling, options: CallersCause<'tag'>) => {
    return calling.bus.causes.tag(byOperator(calling, options, CAUSES))
  },
  investigate: async (calling: Calling, options: CallersCause<'investigate'>) => {
    return calling.bus.causes.investigate(byOperator(calling, options, CAUSES))
  },
}
