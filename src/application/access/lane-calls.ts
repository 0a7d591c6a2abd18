import type { LaneOptions, LimitOptions } from '../flow/lane-input.ts'
import type { LimitsFilter } from '../flow/limits.ts'
import type { LaneFilter } from '../ports/reading/lane-queries.ts'
import { ForbiddenError } from '../shared/errors.ts'
import { NO_TENANT } from '../shared/scope.ts'
import type { CallersFilter, Calling } from './calling.ts'

/** Lanes are of a domain, and so of all tenants: a caller of one tenant does not decide for the others. */
const refuseTenants = ({ scope, identity, log }: Calling): void => {
  if (scope.tenantId === undefined || scope.tenantId === NO_TENANT) return
  const { subject, tenant } = identity
  log.warn({ security: 'cross-tenant access', subject, tenant }, 'settings for all tenants were asked for')
  throw new ForbiddenError('lanes and limits are for all tenants: this needs a token without a tenant')
}

const byOperator = <Options>(calling: Calling, options: Options) => {
  refuseTenants(calling)
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
    return calling.bus.lanes.set(domain, lane, byOperator(calling, options))
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
