import type { BulkActionOptions } from './action-input.ts'
import { ActionNotFoundError, type ActionView, type GetActionOptions, type StopActionOptions } from './bulk-action.ts'
import type { ActionPlan } from './dry-run-action.ts'
import { CommandNotFoundError, ForbiddenError } from './errors.ts'
import { domainOf } from './input.ts'
import type { CausalTree, ParkedAtOptions, ParkedAtPage } from './investigate.ts'
import {
  type CancelOptions,
  cancelCommand,
  type DryRunOption,
  endAttempt,
  type OperateDeps,
  operatorCancel,
  operatorComplete,
  operatorRetry,
} from './operate-command.ts'
import type { OperationFilter, Operations, StartOperation } from './operations.ts'
import type { ActionListFilter, ItemListFilter } from './ports/action-store.ts'
import type { Authorization, Identity, Permission } from './ports/authorization.ts'
import type { AuditFilter, CommandFilter, Page, TroubleshootingFilter } from './ports/command-queries.ts'
import type { Subscribe, SubscribeOptions, Subscription } from './ports/live-events.ts'
import type { Stats, StatsReader } from './ports/stats.ts'
import type { createCommandReader } from './read-commands.ts'
import type { HistoryOptions, ReadHistory } from './read-history.ts'
import type { Rehearsal, RehearseOptions } from './rehearse-command.ts'
import { rolesFor } from './roles.ts'
import type { BatchResult } from './send-batch.ts'
import type { CommandToSend, SentCommand } from './send-command.ts'
import { createWorkflowCaller, type WorkflowCallerDeps } from './workflow-caller.ts'

const callersMembers = [
  'commandId',
  'commandType',
  'data',
  'replyTo',
  'correlationId',
  'causationId',
  'maxAttempts',
  'backoffSeconds',
  'traceparent',
] as const

/** What a caller may say of a command to send; who sends it and for which tenant the identity says. */
export type CallersCommand = Pick<CommandToSend, (typeof callersMembers)[number]>

const pick = <T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> => {
  const picked: Partial<Pick<T, K>> = {}
  for (const name of names) if (from[name] !== undefined) picked[name] = from[name]
  return picked as Pick<T, K>
}

export interface CallerDeps extends OperateDeps, WorkflowCallerDeps {
  readonly authorization: Authorization
  readonly send: (domain: string, command: CommandToSend) => Promise<SentCommand>
  readonly sendBatch: (domain: string, commands: readonly CommandToSend[]) => Promise<readonly BatchResult[]>
  readonly reader: ReturnType<typeof createCommandReader>
  readonly history: ReadHistory
  readonly parkedAt: (options: ParkedAtOptions) => Promise<ParkedAtPage>
  readonly correlation: (correlationId: string, scope: { readonly tenantId?: string }) => Promise<CausalTree>
  readonly operations: Operations
  readonly rehearse: (domain: string, commandId: string, options: RehearseOptions) => Promise<Rehearsal>
  readonly dryRun: (options: BulkActionOptions) => Promise<ActionPlan>
  readonly actions: CallersActions
  readonly subscribe: Subscribe
  readonly stats: StatsReader
}

/** What carries out actions on many commands. */
export interface CallersActions {
  readonly start: (options: BulkActionOptions) => Promise<ActionView>
  readonly get: (id: string, options?: GetActionOptions) => Promise<ActionView | null>
  readonly list: (filter: ActionListFilter) => Promise<Page<ActionView>>
  readonly stop: (id: string, options: StopActionOptions) => Promise<ActionView>
}

export type CallersFilter<Filter> = Omit<Filter, 'tenantId'>

/**
 * The bus as one identity may use it: every call checks the permission, acts as the identity's subject and stays within
 * its tenant. What lies outside the tenant is as good as unknown. @throws ForbiddenError
 */
export const createCaller = (deps: CallerDeps, identity: Identity) => {
  const { reader } = deps
  const { subject, tenant } = identity
  const scope = tenant === null ? {} : { tenantId: tenant }

  const demand = (permission: Permission): void => {
    if (deps.authorization.allows(identity, permission)) return
    throw new ForbiddenError(`this needs one of the roles ${rolesFor[permission].join(', ')}`)
  }
  // member by member: what a caller may not say of a command is left behind
  const own = (command: CallersCommand): CommandToSend => ({
    ...pick(command, callersMembers),
    ...scope,
    actor: subject,
  })
  const isOwn = (row: { readonly tenantId: string | null }): boolean => tenant === null || row.tenantId === tenant

  const find = async (domain: string, commandId: string) => {
    const command = await reader.get(domain, commandId)
    return command !== null && isOwn(command) ? command : null
  }

  return {
    identity,
    allows: (permission: Permission): boolean => deps.authorization.allows(identity, permission),
    demand,

    send: async (domain: string, command: CallersCommand) => {
      demand('send')
      return deps.send(domain, own(command))
    },
    sendBatch: async (domain: string, commands: readonly CallersCommand[]) => {
      demand('send')
      return deps.sendBatch(domain, commands.map(own))
    },
    cancel: async (domain: string, commandId: string, options: Pick<CancelOptions, 'reason'> = {}) => {
      demand('send')
      return cancelCommand(deps)(domain, commandId, { ...options, ...scope, actor: subject })
    },

    /** @throws CommandNotFoundError */
    getCommand: async (domain: string, commandId: string) => {
      demand('read')
      const command = await find(domain, commandId)
      if (command === null) throw new CommandNotFoundError(domain, commandId)
      return command
    },
    queryCommands: async (filter: CallersFilter<CommandFilter>) => {
      demand('read')
      return reader.list({ ...filter, ...scope })
    },
    /** Empty for an unknown command, and for one of another tenant. */
    auditTrail: async (domain: string, commandId: string, filter: AuditFilter = {}) => {
      demand('audit')
      if (tenant !== null && (await find(domain, commandId)) === null) return []
      return reader.auditTrail(domain, commandId, filter)
    },

    /** What each event made of a command. @throws CommandNotFoundError */
    history: async (domain: string, commandId: string, options: Omit<HistoryOptions, 'tenantId'> = {}) => {
      demand('audit')
      return deps.history(domain, commandId, { ...options, ...scope })
    },

    /** What belongs to a correlation id, and what caused what. */
    correlation: async (correlationId: string) => {
      demand('audit')
      return deps.correlation(correlationId, scope)
    },

    /** The caller's own operations. */
    operations: {
      start: async (start: StartOperation) => {
        demand('operations')
        return deps.operations.start(identity, start)
      },
      get: async (id: string) => {
        demand('operations')
        return deps.operations.get(identity, id)
      },
      list: async (filter: OperationFilter) => {
        demand('operations')
        return deps.operations.list(identity, filter)
      },
      retry: async (id: string) => {
        demand('operations')
        return deps.operations.retry(identity, id)
      },
    },

    ...createWorkflowCaller(deps, identity, demand),

    /** Events of the caller's tenant as they commit. */
    live: async ({ filter = {}, ...options }: SubscribeOptions): Promise<Subscription> => {
      demand('read')
      // a name that no domain can have would be a stream that never says anything
      if (filter.domain !== undefined) domainOf(filter.domain)
      return deps.subscribe({ ...options, filter: { ...filter, ...scope } })
    },
    stats: async (): Promise<Stats> => {
      demand('read')
      return deps.stats.read(scope)
    },

    troubleshooting: {
      list: async (filter: CallersFilter<TroubleshootingFilter>) => {
        demand('read')
        return reader.parked({ ...filter, ...scope })
      },
      /** As it was at an instant. */
      listAt: async (options: CallersFilter<ParkedAtOptions>) => {
        demand('audit')
        return deps.parkedAt({ ...options, ...scope })
      },
      groups: async (filter: CallersFilter<TroubleshootingFilter>) => {
        demand('read')
        return reader.parkedGroups({ ...filter, ...scope })
      },
      retry: async (
        domain: string,
        commandId: string,
        options: { readonly data?: unknown; readonly resetAttempts?: boolean } & DryRunOption,
      ) => {
        demand('operate')
        return operatorRetry(deps)(domain, commandId, { ...options, ...scope, operator: subject })
      },
      cancel: async (domain: string, commandId: string, options: { readonly reason: string } & DryRunOption) => {
        demand('operate')
        return operatorCancel(deps)(domain, commandId, { ...options, ...scope, operator: subject })
      },
      endAttempt: async (domain: string, commandId: string, options: { readonly reason: string } & DryRunOption) => {
        demand('operate')
        return endAttempt(deps)(domain, commandId, { ...options, ...scope, operator: subject })
      },
      rehearse: async (domain: string, commandId: string, options: Omit<RehearseOptions, 'tenantId'> = {}) => {
        demand('operate')
        return deps.rehearse(domain, commandId, { ...options, ...scope })
      },
      /** Takes in what is parked now; a runner does the work. */
      start: async (options: DistributiveOmit<BulkActionOptions, 'operator' | 'tenantId'>) => {
        demand('operate')
        return deps.actions.start({ ...options, operator: subject, tenantId: tenant } as BulkActionOptions)
      },
      /** What `start` would do. */
      dryRun: async (options: DistributiveOmit<BulkActionOptions, 'operator' | 'tenantId'>) => {
        demand('operate')
        return deps.dryRun({ ...options, operator: subject, tenantId: tenant } as BulkActionOptions)
      },
      /** @throws ActionNotFoundError */
      action: async (id: string, items?: ItemListFilter) => {
        demand('operate')
        const found = await deps.actions.get(id, { tenantId: tenant, ...(items === undefined ? {} : { items }) })
        if (found === null) throw new ActionNotFoundError(id)
        return found
      },
      /** Newest first. */
      actions: async (filter: CallersFilter<ActionListFilter> = {}) => {
        demand('operate')
        return deps.actions.list({ ...filter, ...scope })
      },
      /** One that is over stays as it is. @throws ActionNotFoundError */
      stop: async (id: string) => {
        demand('operate')
        return deps.actions.stop(id, { operator: subject, tenantId: tenant })
      },
      complete: async (
        domain: string,
        commandId: string,
        options: { readonly resultData?: unknown } & DryRunOption,
      ) => {
        demand('operate')
        return operatorComplete(deps)(domain, commandId, { ...options, ...scope, operator: subject })
      },
    },
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

export type Caller = ReturnType<typeof createCaller>
