import { isRight } from 'fp-ts/lib/Either.js'
import { commandQueue, parseQueueName } from '../../domain/command/names.ts'
import type { createCommandReader } from '../commands/read-commands.ts'
import type { BatchResult } from '../commands/send-batch.ts'
import type { CommandToSend, SentCommand } from '../commands/send-command.ts'
import type { DeliverOptions, UndeliveredReplies } from '../commands/undelivered-replies.ts'
import type { CausalTree, ParkedAtOptions, ParkedAtPage } from '../investigation/investigate.ts'
import type { HistoryOptions, ReadHistory } from '../investigation/read-history.ts'
import type { OperationFilter, Operations, Owner, StartOperation } from '../operations/operations.ts'
import type { ActionListFilter, ItemListFilter } from '../ports/action-store.ts'
import type { Authorization, Identity, Permission, Scope } from '../ports/authorization.ts'
import type { AdmitQueues } from '../ports/queue.ts'
import type { AuditFilter, CommandFilter, Page, TroubleshootingFilter } from '../ports/reading/command-queries.ts'
import type { Subscribe, SubscribeOptions, Subscription } from '../ports/reading/live-events.ts'
import type { Stats, StatsReader } from '../ports/reading/stats.ts'
import type { UndeliveredFilter } from '../ports/reading/undelivered.ts'
import {
  CommandIdTakenError,
  CommandNotFoundError,
  DomainReservedError,
  ForbiddenError,
  ReplyQueueRefusedError,
} from '../shared/errors.ts'
import { domainOf } from '../shared/input.ts'
import { isWithin, scopeOf } from '../shared/scope.ts'
import {
  ActionNotFoundError,
  type ActionView,
  type GetActionOptions,
  type StopActionOptions,
} from '../troubleshooting/bulk-action.ts'
import type { ActionPlan } from '../troubleshooting/dry-run-action.ts'
import {
  type CancelOptions,
  cancelCommand,
  createCallersOperatorCalls,
  type OperateDeps,
} from '../troubleshooting/operate-command.ts'
import type { BulkActionOptions } from '../troubleshooting/operator-options.ts'
import type { Rehearsal, RehearseOptions } from '../troubleshooting/rehearse-command.ts'
import { callerPermissions, permitted } from './caller-permissions.ts'
import { type MayReplyTo, refusedQueue } from './reply-queues.ts'
import { rolesFor } from './roles.ts'
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
  /** Domains whose commands the bus itself sends, and what their users call instead. */
  readonly reservedDomains: ReadonlyMap<string, string>
  readonly mayReplyTo: MayReplyTo
  readonly admit: AdmitQueues
  readonly authorization: Authorization
  readonly send: (domain: string, command: CommandToSend) => Promise<SentCommand>
  readonly sendBatch: (domain: string, commands: readonly CommandToSend[]) => Promise<readonly BatchResult[]>
  readonly reader: ReturnType<typeof createCommandReader>
  readonly history: ReadHistory
  readonly parkedAt: (options: ParkedAtOptions) => Promise<ParkedAtPage>
  readonly correlation: (correlationId: string, scope: Scope) => Promise<CausalTree>
  readonly operations: Operations
  readonly rehearse: (domain: string, commandId: string, options: RehearseOptions) => Promise<Rehearsal>
  readonly dryRun: (options: BulkActionOptions) => Promise<ActionPlan>
  readonly actions: CallersActions
  readonly subscribe: Subscribe
  readonly stats: StatsReader
  readonly replies: UndeliveredReplies
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
 * its scope: its tenant, or what has none. What lies outside is as good as unknown. @throws ForbiddenError
 */
export const createCaller = (deps: CallerDeps, identity: Identity) => {
  const { reader, log } = deps
  const { subject, tenant } = identity
  const scope = scopeOf(identity, 'ADMIN')
  const owner: Owner = { subject, tenant, ...scope }
  // where null stands for all
  const tenantId = scope.tenantId ?? null

  const demand = (permission: Permission): void => {
    if (deps.authorization.allows(identity, permission)) return
    throw new ForbiddenError(`this needs one of the roles ${rolesFor[permission].join(', ')}`)
  }
  const demandOpen = (domain: string): void => {
    const instead = deps.reservedDomains.get(domain)
    if (instead !== undefined) throw new DomainReservedError(domain, instead)
  }
  const isTaken = (domain: string, commandIds: readonly string[]): void =>
    log.warn(
      {
        security: 'command id of another tenant',
        subject,
        tenant,
        domain,
        commandIds: commandIds.slice(0, 10),
        count: commandIds.length,
      },
      'a command was sent with an id that another tenant has taken',
    )
  // member by member: what a caller may not say of a command is left behind
  const own = (command: CallersCommand): CommandToSend => {
    if (typeof command.replyTo === 'string' && !deps.mayReplyTo(command.replyTo, tenant)) {
      throw new ReplyQueueRefusedError(command.replyTo, refusedQueue(tenant))
    }
    return {
      ...pick(command, callersMembers),
      ...(tenant === null ? {} : { tenantId: tenant }),
      actor: subject,
    }
  }
  /** What cannot be the name of a queue is refused when it is sent. */
  const admit = (domain: string, commands: readonly CommandToSend[]): Promise<void> | null => {
    const replies = commands.flatMap(({ replyTo }) =>
      typeof replyTo === 'string' && isRight(parseQueueName(replyTo)) ? [replyTo] : [],
    )
    return deps.admit([...new Set([commandQueue(domainOf(domain)), ...replies])], JSON.stringify([tenant, subject]))
  }
  const find = async (domain: string, commandId: string) => {
    const command = await reader.get(domain, commandId)
    return command !== null && isWithin(scope, command.tenantId) ? command : null
  }

  const calls = {
    send: async (domain: string, command: CallersCommand) => {
      demandOpen(domain)
      const mine = own(command)
      await admit(domain, [mine])
      return deps.send(domain, mine).catch(error => {
        if (error instanceof CommandIdTakenError) isTaken(domain, [error.commandId])
        throw error
      })
    },
    sendBatch: async (domain: string, commands: readonly CallersCommand[]) => {
      demandOpen(domain)
      const mine = commands.map(own)
      await admit(domain, mine)
      const results = await deps.sendBatch(domain, mine)
      const taken = results.filter(({ outcome }) => outcome === 'taken')
      if (taken.length > 0)
        isTaken(
          domain,
          taken.map(({ commandId }) => commandId),
        )
      return results
    },
    cancel: async (domain: string, commandId: string, options: Pick<CancelOptions, 'reason'> = {}) => {
      demandOpen(domain)
      return cancelCommand(deps)(domain, commandId, { ...options, ...scope, actor: subject })
    },

    /** @throws CommandNotFoundError */
    getCommand: async (domain: string, commandId: string) => {
      const command = await find(domain, commandId)
      if (command === null) throw new CommandNotFoundError(domain, commandId)
      return command
    },
    queryCommands: async (filter: CallersFilter<CommandFilter>) => {
      return reader.list({ ...filter, ...scope })
    },
    /** Empty for an unknown command, and for one of another tenant. */
    auditTrail: async (domain: string, commandId: string, filter: AuditFilter = {}) => {
      if (tenantId !== null && (await find(domain, commandId)) === null) return []
      return reader.auditTrail(domain, commandId, filter)
    },

    /** What each event made of a command. @throws CommandNotFoundError */
    history: async (domain: string, commandId: string, options: Omit<HistoryOptions, 'tenantId'> = {}) => {
      return deps.history(domain, commandId, { ...options, ...scope })
    },

    /** What belongs to a correlation id, and what caused what. */
    correlation: async (correlationId: string) => {
      return deps.correlation(correlationId, scope)
    },

    /** The caller's own operations. */
    operations: {
      start: async (start: StartOperation) => {
        return deps.operations.start(owner, start)
      },
      get: async (id: string) => {
        return deps.operations.get(owner, id)
      },
      list: async (filter: OperationFilter) => {
        return deps.operations.list(owner, filter)
      },
      retry: async (id: string) => {
        return deps.operations.retry(owner, id)
      },
    },

    ...createWorkflowCaller(deps, identity),

    /** Events of the caller's scope as they commit. */
    live: async ({ filter = {}, ...options }: SubscribeOptions): Promise<Subscription> => {
      // a name that no domain can have would be a stream that never says anything
      if (filter.domain !== undefined) domainOf(filter.domain)
      return deps.subscribe({ ...options, filter: { ...filter, ...scope } })
    },
    stats: async (): Promise<Stats> => {
      return deps.stats.read(scope)
    },

    replies: {
      /** Those of the caller's scope that could not be delivered. */
      undelivered: async (filter: CallersFilter<UndeliveredFilter> = {}) => {
        return deps.replies.undelivered({ ...filter, ...scope })
      },
      /** @throws ReplyQueueRefusedError for another queue that the caller may not use */
      deliverAgain: async (options: Omit<DeliverOptions, 'operator' | 'tenantId'> = {}) => {
        if (typeof options.to === 'string' && !deps.mayReplyTo(options.to, tenant)) {
          throw new ReplyQueueRefusedError(options.to, refusedQueue(tenant))
        }
        return deps.replies.deliverAgain({ ...options, ...scope, operator: subject })
      },
    },

    troubleshooting: {
      list: async (filter: CallersFilter<TroubleshootingFilter>) => {
        return reader.parked({ ...filter, ...scope })
      },
      /** As it was at an instant. */
      listAt: async (options: CallersFilter<ParkedAtOptions>) => {
        return deps.parkedAt({ ...options, ...scope })
      },
      groups: async (filter: CallersFilter<TroubleshootingFilter>) => {
        return reader.parkedGroups({ ...filter, ...scope })
      },
      ...createCallersOperatorCalls(deps, subject, scope),
      rehearse: async (domain: string, commandId: string, options: Omit<RehearseOptions, 'tenantId'> = {}) => {
        return deps.rehearse(domain, commandId, { ...options, ...scope })
      },
      /** Takes in what is parked now; a runner does the work. */
      start: async (options: DistributiveOmit<BulkActionOptions, 'operator' | 'tenantId'>) => {
        return deps.actions.start({ ...options, operator: subject, tenantId } as BulkActionOptions)
      },
      /** What `start` would do. */
      dryRun: async (options: DistributiveOmit<BulkActionOptions, 'operator' | 'tenantId'>) => {
        return deps.dryRun({ ...options, operator: subject, tenantId } as BulkActionOptions)
      },
      /** @throws ActionNotFoundError */
      action: async (id: string, items?: ItemListFilter) => {
        const found = await deps.actions.get(id, { tenantId, ...(items === undefined ? {} : { items }) })
        if (found === null) throw new ActionNotFoundError(id)
        return found
      },
      /** Newest first. */
      actions: async (filter: CallersFilter<ActionListFilter> = {}) => {
        return deps.actions.list({ ...filter, ...scope })
      },
      /** One that is over stays as it is. @throws ActionNotFoundError */
      stop: async (id: string) => {
        return deps.actions.stop(id, { operator: subject, tenantId })
      },
    },
  }

  return {
    identity,
    allows: (permission: Permission): boolean => deps.authorization.allows(identity, permission),
    demand,
    ...permitted(calls, callerPermissions, demand),
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

export type Caller = ReturnType<typeof createCaller>
