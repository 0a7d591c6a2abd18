import type { Principal } from '../ports/authorization.ts'
import type { EntryFilter, RunFilter, TemplateFilter } from '../ports/reading/workflow-queries.ts'
import type { GrantCredits } from '../runs/credits.ts'
import type { RunHistoryOptions } from '../runs/read-run-history.ts'
import { DEFAULT_TENANT } from '../runs/workflow-input.ts'
import type { StartRun } from '../runs/workflow-runs.ts'
import type { NewTemplate } from '../runs/workflow-templates.ts'
import { ForbiddenError, InvalidInputError } from '../shared/errors.ts'
import { NO_TENANT, scopeOf } from '../shared/scope.ts'
import type { Calling } from './calling.ts'

/** A caller whose scope is 'no tenant' gets the default tenant. */
const principalOf = ({ identity }: Calling): Principal => ({
  subject: identity.subject,
  tenant: scopeOf(identity, 'BUBBLE_ADMIN').tenantId === NO_TENANT ? DEFAULT_TENANT : identity.tenant,
})

/** The caller's tenant; callers without one may name any. @throws ForbiddenError */
const tenantFor = (calling: Calling, named: string | undefined): string => {
  const { subject, tenant } = principalOf(calling)
  if (tenant === null) return named ?? DEFAULT_TENANT
  if (named === undefined || named === tenant) return tenant
  calling.log.warn({ security: 'cross-tenant access', subject, tenant, asked: named }, 'another tenant was named')
  throw new ForbiddenError('this token is bound to another tenant')
}

export const runCalls = {
  createTemplate: async (calling: Calling, given: NewTemplate) => {
    if (given.tenantId !== undefined) tenantFor(calling, given.tenantId)
    return calling.bus.runs.createTemplate(principalOf(calling), given)
  },
  archiveTemplate: async (calling: Calling, id: string) => {
    return calling.bus.runs.archiveTemplate(principalOf(calling), id)
  },
  listTemplates: async (calling: Calling, filter: TemplateFilter = {}) => {
    if (filter.tenantId !== undefined) tenantFor(calling, filter.tenantId)
    return calling.bus.runs.listTemplates(principalOf(calling), filter)
  },
  initiate: async (calling: Calling, start: StartRun) => {
    if (start.tenantId !== undefined) tenantFor(calling, start.tenantId)
    // only the role decides, never the request
    const testRun = calling.identity.roles.includes('BUBBLE_ADMIN')
    return calling.bus.runs.initiate({ ...principalOf(calling), testRun }, start)
  },
  get: async (calling: Calling, id: string) => {
    return calling.bus.runs.get(principalOf(calling), id)
  },
  /** For each event the run's state after it. */
  history: async (calling: Calling, id: string, options: RunHistoryOptions = {}) => {
    // auditors may read the log; ADMIN reads that of all tenants
    const principal = principalOf(calling)
    const auditor = calling.scope.tenantId === undefined ? { ...principal, tenant: null } : principal
    return calling.bus.runs.history(auditor, id, options)
  },
  list: async (calling: Calling, filter: RunFilter = {}) => {
    if (filter.tenantId !== undefined) tenantFor(calling, filter.tenantId)
    return calling.bus.runs.list(principalOf(calling), filter)
  },
  cancel: async (calling: Calling, id: string, options: { readonly reason?: string } = {}) => {
    return calling.bus.runs.cancel(principalOf(calling), id, options)
  },
  previewRetry: async (calling: Calling, id: string) => {
    return calling.bus.runs.previewRetry(principalOf(calling), id)
  },
  retryFailed: async (calling: Calling, id: string) => {
    return calling.bus.runs.retryFailed(principalOf(calling), id)
  },
}

export const creditCalls = {
  balance: async (calling: Calling, tenantId?: string) => {
    return calling.bus.credits.balance(tenantFor(calling, tenantId))
  },
  entries: async (calling: Calling, filter: EntryFilter & { readonly tenantId?: string } = {}) => {
    const { tenantId, ...rest } = filter
    return calling.bus.credits.entries(tenantFor(calling, tenantId), rest)
  },
  grant: async (calling: Calling, given: GrantCredits & { readonly tenantId?: string }) => {
    if (given.tenantId !== undefined && typeof given.tenantId !== 'string')
      throw new InvalidInputError('tenantId', 'must be a text')
    const { tenantId, ...rest } = given
    return calling.bus.credits.grant(calling.identity.subject, tenantFor(calling, tenantId), rest)
  },
}
