import type { Identity } from '../ports/authorization.ts'
import type { Log } from '../ports/log.ts'
import type { EntryFilter, RunFilter, TemplateFilter } from '../ports/reading/workflow-queries.ts'
import type { Credits, GrantCredits } from '../runs/credits.ts'
import type { RunHistoryOptions } from '../runs/read-run-history.ts'
import type { WorkflowCalls } from '../runs/workflow-calls.ts'
import { DEFAULT_TENANT } from '../runs/workflow-input.ts'
import type { StartRun } from '../runs/workflow-runs.ts'
import type { NewTemplate } from '../runs/workflow-templates.ts'
import { ForbiddenError, InvalidInputError } from '../shared/errors.ts'
import { NO_TENANT, scopeOf } from '../shared/scope.ts'

export interface WorkflowCallerDeps {
  readonly runs: WorkflowCalls
  readonly credits: Credits
  readonly log: Log
}

/** Runs and credits within what one identity reaches; whoever calls it has checked the permission. */
export const createWorkflowCaller = ({ runs, credits, log }: WorkflowCallerDeps, identity: Identity) => {
  const { subject } = identity
  // who is bound to no tenant has the one of those that name none
  const tenant = scopeOf(identity, 'BUBBLE_ADMIN').tenantId === NO_TENANT ? DEFAULT_TENANT : identity.tenant
  const asker = { subject, tenant }
  // the log is an auditor's to look at: all of it with ADMIN, too
  const auditor = scopeOf(identity, 'ADMIN').tenantId === undefined ? { subject, tenant: null } : asker
  // who runs it decides, and nothing that is asked for
  const starter = { ...asker, testRun: identity.roles.includes('BUBBLE_ADMIN') }

  /** The caller's own tenant; those without one may name it. */
  const tenantFor = (named: string | undefined): string => {
    if (tenant === null) return named ?? DEFAULT_TENANT
    if (named === undefined || named === tenant) return tenant
    log.warn({ security: 'cross-tenant access', subject, tenant, asked: named }, 'another tenant was named')
    throw new ForbiddenError('this token is bound to another tenant')
  }

  return {
    runs: {
      createTemplate: async (given: NewTemplate) => {
        if (given.tenantId !== undefined) tenantFor(given.tenantId)
        return runs.createTemplate(asker, given)
      },
      archiveTemplate: async (id: string) => {
        return runs.archiveTemplate(asker, id)
      },
      listTemplates: async (filter: TemplateFilter = {}) => {
        if (filter.tenantId !== undefined) tenantFor(filter.tenantId)
        return runs.listTemplates(asker, filter)
      },
      initiate: async (start: StartRun) => {
        if (start.tenantId !== undefined) tenantFor(start.tenantId)
        return runs.initiate(starter, start)
      },
      get: async (id: string) => {
        return runs.get(asker, id)
      },
      /** What each event made of a run. */
      history: async (id: string, options: RunHistoryOptions = {}) => {
        return runs.history(auditor, id, options)
      },
      list: async (filter: RunFilter = {}) => {
        if (filter.tenantId !== undefined) tenantFor(filter.tenantId)
        return runs.list(asker, filter)
      },
      cancel: async (id: string, options: { readonly reason?: string } = {}) => {
        return runs.cancel(asker, id, options)
      },
      previewRetry: async (id: string) => {
        return runs.previewRetry(asker, id)
      },
      retryFailed: async (id: string) => {
        return runs.retryFailed(asker, id)
      },
    },
    credits: {
      balance: async (tenantId?: string) => {
        return credits.balance(tenantFor(tenantId))
      },
      entries: async (filter: EntryFilter & { readonly tenantId?: string } = {}) => {
        const { tenantId, ...rest } = filter
        return credits.entries(tenantFor(tenantId), rest)
      },
      grant: async (given: GrantCredits & { readonly tenantId?: string }) => {
        if (given.tenantId !== undefined && typeof given.tenantId !== 'string')
          throw new InvalidInputError('tenantId', 'must be a text')
        const { tenantId, ...rest } = given
        return credits.grant(subject, tenantFor(tenantId), rest)
      },
    },
  }
}
