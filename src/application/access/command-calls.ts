import { commandQueue } from '../../domain/command/names.ts'
import { priorities } from '../../domain/flow/priority.ts'
import type { Json } from '../../domain/json/json.ts'
import type { CommandToSend } from '../commands/send-command.ts'
import type { HistoryOptions } from '../investigation/read-history.ts'
import { demandDomain } from '../payloads/define-command.ts'
import type { AuditFilter, CommandFilter } from '../ports/reading/command-queries.ts'
import type { QueuesFilter, TypesFilter } from '../ports/reading/figures.ts'
import type { SubscribeOptions, Subscription } from '../ports/reading/live-events.ts'
import type { Stats } from '../ports/reading/stats.ts'
import type { WaitForReply } from '../replies/request.ts'
import { CommandIdTakenError, CommandNotFoundError, DomainReservedError } from '../shared/errors.ts'
import { defined, domainOf } from '../shared/input.ts'
import { isWithin } from '../shared/scope.ts'
import type { CancelOptions, RescheduleOptions } from '../troubleshooting/operate-command.ts'
import type { StatusOptions } from '../watching/figures.ts'
import { admitQueues, ownReplyQueues } from './callers-queues.ts'
import { type CallersFilter, type Calling, demandSearchable } from './calling.ts'

const callersMembers = [
  'commandId',
  'commandType',
  'data',
  'replyTo',
  'correlationId',
  'causationId',
  'maxAttempts',
  'backoffSeconds',
  'delaySeconds',
  'runAt',
  'priority',
  'expiresInSeconds',
  'expiresAt',
  'key',
  'traceparent',
] as const

/** The options of a send that a caller may set; the actor and the tenant come from the identity. */
export type CallersCommand = Pick<CommandToSend, (typeof callersMembers)[number]>

export const commandCalls = {
  /** Sends a command as the caller, in its tenant. @throws as `bus.send`, and ForbiddenError */
  send: async (calling: Calling, domain: string, command: CallersCommand) => {
    demandOpen(calling, domain)
    await admitSends(calling, domain, [command])
    return calling.send(domain, own(calling, command)).catch(notingTaken(calling, domain))
  },
  /** The reply comes to a queue of the caller's tenant. */
  request: async (calling: Calling, domain: string, command: CallersCommand, wait: WaitForReply = {}) => {
    demandOpen(calling, domain)
    const { tenant } = calling.identity
    const replyTo = command.replyTo ?? (tenant === null ? calling.requestQueue : `t_${tenant}__requests`)
    const requested = { ...command, replyTo }
    await admitSends(calling, domain, [requested])
    return calling.request<Json>(domain, own(calling, requested), wait).catch(notingTaken(calling, domain))
  },
  /** Sends up to 10,000 commands to one domain. @throws as `bus.sendBatch`, and ForbiddenError */
  sendBatch: async (calling: Calling, domain: string, commands: readonly CallersCommand[]) => {
    demandOpen(calling, domain)
    await admitSends(calling, domain, commands)
    const results = await calling.sendBatch(
      domain,
      commands.map(command => own(calling, command)),
    )
    const taken = results.filter(({ outcome }) => outcome === 'taken')
    if (taken.length > 0) {
      noteTaken(
        calling,
        domain,
        taken.map(({ commandId }) => commandId),
      )
    }
    return results
  },
  /** Cancels a command that the caller may send, while it is PENDING. @throws CommandNotFoundError, InvalidOperationError */
  cancel: async (calling: Calling, domain: string, commandId: string, options: Pick<CancelOptions, 'reason'> = {}) => {
    demandOpen(calling, domain)
    const { bus, scope, identity } = calling
    return bus.cancel(domain, commandId, { ...options, ...scope, actor: identity.subject })
  },
  /** Gives the command as its row shows it then. */
  reschedule: async (
    calling: Calling,
    domain: string,
    commandId: string,
    options: Pick<RescheduleOptions, 'runAt' | 'delaySeconds'>,
  ) => {
    demandOpen(calling, domain)
    const { bus, scope, identity } = calling
    const { runAt, delaySeconds } = options
    return bus.reschedule(domain, commandId, { ...defined({ runAt, delaySeconds }), ...scope, actor: identity.subject })
  },

  /** @throws CommandNotFoundError */
  getCommand: async (calling: Calling, domain: string, commandId: string) => {
    const command = await find(calling, domain, commandId)
    if (command === null) throw new CommandNotFoundError(domain, commandId)
    return command
  },
  /** Commands that the caller may read, newest first, in pages. @throws InvalidInputError */
  queryCommands: async (calling: Calling, filter: CallersFilter<CommandFilter>) => {
    if (filter.payload !== undefined) await demandSearchable(calling, filter.payload.path, filter.domain ?? null)
    return calling.bus.queryCommands({ ...filter, ...calling.scope })
  },
  /** Empty for an unknown command, and for one of another tenant. */
  auditTrail: async (calling: Calling, domain: string, commandId: string, filter: AuditFilter = {}) => {
    const { bus, scope } = calling
    if (scope.tenantId !== undefined && (await find(calling, domain, commandId)) === null) return []
    return bus.getAuditTrail(domain, commandId, filter)
  },

  /** For each event the command's state after it. @throws CommandNotFoundError */
  history: async (
    { bus, scope }: Calling,
    domain: string,
    commandId: string,
    options: Omit<HistoryOptions, 'tenantId'> = {},
  ) => {
    return bus.getHistory(domain, commandId, { ...options, ...scope })
  },

  /** @throws CommandNotFoundError */
  attempts: async ({ bus, scope }: Calling, domain: string, commandId: string) => {
    return bus.getAttempts(domain, commandId, scope)
  },

  /** The causal tree of a correlation id. */
  correlation: async ({ bus, scope }: Calling, correlationId: string) => {
    return bus.getCorrelation(correlationId, scope)
  },

  /** Events of the caller's scope as they commit. */
  live: async ({ subscribe, scope }: Calling, { filter = {}, ...options }: SubscribeOptions): Promise<Subscription> => {
    // an invalid name would give a subscription without any events
    if (filter.domain !== undefined) domainOf(filter.domain)
    return subscribe({ ...options, filter: { ...filter, ...scope } })
  },
  /** Counts and throughput of what the caller may see. */
  stats: async ({ stats, scope }: Calling): Promise<Stats> => {
    return stats.read(scope)
  },
}

export const figureCalls = {
  types: async ({ bus, scope }: Calling, filter: CallersFilter<TypesFilter> = {}) => {
    return bus.figures.types({ ...filter, ...scope })
  },
  queues: async ({ bus, scope }: Calling, filter: CallersFilter<QueuesFilter> = {}) => {
    return bus.figures.queues({ ...filter, ...scope })
  },
  causes: async ({ bus, scope }: Calling) => {
    return bus.figures.causes(scope)
  },
  status: async ({ bus, scope }: Calling, options: CallersFilter<StatusOptions> = {}) => {
    return bus.figures.status({ ...options, ...scope })
  },
}

export const demandOpen = ({ reservedDomains }: Calling, domain: string): void => {
  const instead = reservedDomains.get(domain)
  if (instead !== undefined) throw new DomainReservedError(domain, instead)
}

/** Copies only the members that a caller may set. */
const own = ({ identity: { subject, tenant } }: Calling, command: CallersCommand): CommandToSend => ({
  ...pick(command, callersMembers),
  ...(tenant === null ? {} : { tenantId: tenant }),
  actor: subject,
})

const pick = <T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> => {
  const picked: Partial<Pick<T, K>> = {}
  for (const name of names) if (from[name] !== undefined) picked[name] = from[name]
  return picked as Pick<T, K>
}

const admitSends = (calling: Calling, domain: string, commands: readonly CallersCommand[]): Promise<void> => {
  for (const command of commands) demandDomain(command, domain)
  const replies = commands.flatMap(({ replyTo }) => ownReplyQueues(calling, replyTo))
  const known = domainOf(domain)
  // another word is refused by the send
  const used = [...new Set(commands.map(({ priority }) => priority))].map(given =>
    priorities.find(one => one === given),
  )
  return admitQueues(calling, [...used.map(priority => commandQueue(known, priority)), ...replies])
}

const notingTaken =
  (calling: Calling, domain: string) =>
  (error: unknown): never => {
    if (error instanceof CommandIdTakenError) noteTaken(calling, domain, [error.commandId])
    throw error
  }

const noteTaken = ({ log, identity }: Calling, domain: string, commandIds: readonly string[]): void =>
  log.warn(
    {
      security: 'command id of another tenant',
      subject: identity.subject,
      tenant: identity.tenant,
      domain,
      commandIds: commandIds.slice(0, 10),
      count: commandIds.length,
    },
    'a command was sent with an id that another tenant has taken',
  )

const find = async ({ bus, scope }: Calling, domain: string, commandId: string) => {
  const command = await bus.getCommand(domain, commandId)
  return command !== null && isWithin(scope, command.tenantId) ? command : null
}
