import type { PauseOptions, PausesFilter } from '../flow/pauses.ts'
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

export const flowCalls = {
  pause: async (calling: Calling, { tenantId, ...options }: Omit<PauseOptions, 'operator'>) => {
    const operator = calling.identity.subject
    return calling.bus.pause({ ...options, ...ownTenant(calling, tenantId), operator })
  },
  resume: async (calling: Calling, pauseId: string) => {
    return calling.bus.resume(pauseId, { ...calling.scope, operator: calling.identity.subject })
  },
  /** Those of the caller's tenant, and those for all tenants. */
  pauses: async (calling: Calling, filter: CallersFilter<PausesFilter> = {}) => {
    return calling.bus.pauses({ ...filter, ...calling.scope })
  },
}
