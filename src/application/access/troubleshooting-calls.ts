import { type ActionName, actionNames } from '../../domain/command/operator-actions.ts'
import type { NewAlert } from '../alerts/alert-input.ts'
import type { DeliverOptions } from '../commands/undelivered-replies.ts'
import type { ParkedAtOptions } from '../investigation/investigate.ts'
import type { ActionListFilter, ItemListFilter } from '../ports/action-store.ts'
import type { DeliveryFilter } from '../ports/alerting/alert-store.ts'
import type { GroupFilter, TroubleshootingFilter } from '../ports/reading/command-queries.ts'
import type { Cause } from '../ports/reading/explain.ts'
import type { OwedFilter } from '../ports/reading/owed.ts'
import type { UndeliveredFilter } from '../ports/reading/undelivered.ts'
import { defined } from '../shared/input.ts'
import { ActionNotFoundError } from '../troubleshooting/bulk-action.ts'
import type { ControlOptions } from '../troubleshooting/control-action.ts'
import type { BulkActionOptions, OperatorCall, OperatorCalls } from '../troubleshooting/operator-options.ts'
import type { RehearseOptions } from '../troubleshooting/rehearse-command.ts'
import { admitQueues, ownReplyQueues } from './callers-queues.ts'
import { type CallersFilter, type Calling, demandSight, may } from './calling.ts'

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

type CallersAction = DistributiveOmit<BulkActionOptions, 'operator' | 'tenantId'>

/** The operator and the scope of an action on one command. */
const acting = ({ identity, scope }: Calling) => ({ ...scope, operator: identity.subject })

/** The same for an action on many, where null stands for all tenants. */
const actingOnMany = ({ identity, scope }: Calling) => ({
  operator: identity.subject,
  tenantId: scope.tenantId ?? null,
})

const demandSightToEdit = async (
  calling: Calling,
  domain: string,
  commandId: string,
  options: { readonly data?: unknown },
): Promise<void> => {
  if (options.data !== undefined) await demandSight(calling, domain, commandId)
}

/** Each action of an operator on one command, with the caller as the operator. */
const operatorCalls = Object.fromEntries(
  actionNames.map(name => [
    name,
    async (calling: Calling, domain: string, commandId: string, options: object) => {
      if (name === 'retry') await demandSightToEdit(calling, domain, commandId, options)
      const act = calling.bus.troubleshooting[name] as OperatorCall<object, unknown>
      return act(domain, commandId, { ...options, ...acting(calling) })
    },
  ]),
) as unknown as {
  readonly [A in ActionName]: (
    calling: Calling,
    domain: string,
    commandId: string,
    options: Omit<Parameters<OperatorCalls[A]>[2], 'operator' | 'tenantId'>,
  ) => ReturnType<OperatorCalls[A]>
}

export const troubleshootingCalls = {
  list: async ({ bus, scope }: Calling, filter: CallersFilter<TroubleshootingFilter>) => {
    return bus.troubleshooting.list({ ...filter, ...scope })
  },
  /** The list as it was at an instant. */
  listAt: async ({ bus, scope }: Calling, options: CallersFilter<ParkedAtOptions>) => {
    return bus.troubleshooting.listAt({ ...options, ...scope })
  },
  /** Places in the code are for callers who may see histories. */
  groups: async (calling: Calling, filter: CallersFilter<GroupFilter>) => {
    const { bus, scope } = calling
    return bus.troubleshooting.groups({
      ...filter,
      ...scope,
      ...(may(calling, 'audit', filter.domain ?? null) ? {} : { byFrame: false }),
    })
  },
  explain: async ({ bus, scope }: Calling, cause: Cause) => {
    return bus.troubleshooting.explain({ ...cause, ...scope })
  },
  ...operatorCalls,
  rehearse: async (
    calling: Calling,
    domain: string,
    commandId: string,
    options: Omit<RehearseOptions, 'tenantId'> = {},
  ) => {
    await demandSightToEdit(calling, domain, commandId, options)
    return calling.bus.troubleshooting.rehearse(domain, commandId, { ...options, ...calling.scope })
  },
  rehearsable: async ({ bus }: Calling) => bus.troubleshooting.rehearsable(),

  /** Takes in the commands that are parked now; a runner does the work. */
  start: async (calling: Calling, options: CallersAction) => {
    return calling.bus.actions.start({ ...options, ...actingOnMany(calling) } as BulkActionOptions)
  },
  /** What `start` would do. */
  dryRun: async (calling: Calling, options: CallersAction) => {
    return calling.bus.actions.dryRun({ ...options, ...actingOnMany(calling) } as BulkActionOptions)
  },
  /** @throws ActionNotFoundError */
  action: async (calling: Calling, id: string, items?: ItemListFilter, at?: string) => {
    const { tenantId } = actingOnMany(calling)
    const found = await calling.bus.actions.get(id, { tenantId, ...defined({ items, at }) })
    if (found === null) throw new ActionNotFoundError(id)
    return found
  },
  /** Newest first. */
  actions: async ({ bus, scope }: Calling, filter: CallersFilter<ActionListFilter> = {}) => {
    return bus.actions.list({ ...filter, ...scope })
  },
  /** Leaves a finished action as it is. @throws ActionNotFoundError */
  stop: async (calling: Calling, id: string, why: Pick<ControlOptions, 'reason'> = {}) => {
    return calling.bus.actions.stop(id, { ...why, ...actingOnMany(calling) })
  },
  /** @throws ActionNotFoundError, InvalidOperationError (it is over) */
  pause: async (calling: Calling, id: string, why: Pick<ControlOptions, 'reason'> = {}) => {
    return calling.bus.actions.pause(id, { ...why, ...actingOnMany(calling) })
  },
  /** @throws ActionNotFoundError */
  resume: async (calling: Calling, id: string) => {
    return calling.bus.actions.resume(id, actingOnMany(calling))
  },
}

export const replyCalls = {
  /** The replies that senders of the caller's scope wait for. */
  owed: async ({ bus, scope }: Calling, filter: CallersFilter<OwedFilter> = {}) => {
    return bus.replies.owed({ ...filter, ...scope })
  },
  /** The undelivered replies of the caller's scope. */
  undelivered: async ({ bus, scope }: Calling, filter: CallersFilter<UndeliveredFilter> = {}) => {
    return bus.replies.undelivered({ ...filter, ...scope })
  },
  /** @throws ReplyQueueRefusedError for another queue that the caller may not use */
  deliverAgain: async (calling: Calling, options: Omit<DeliverOptions, 'operator' | 'tenantId'> = {}) => {
    await admitQueues(calling, ownReplyQueues(calling, options.to))
    return calling.bus.replies.deliverAgain({ ...options, ...acting(calling) })
  },
}

/** Alerts of the caller's scope, which are about the commands of that scope. */
export const alertCalls = {
  list: async ({ bus, scope }: Calling) => {
    return bus.alerts.list(scope)
  },
  get: async ({ bus, scope }: Calling, name: string) => {
    return bus.alerts.get(name, scope)
  },
  set: async (calling: Calling, name: string, given: NewAlert) => {
    return calling.bus.alerts.set(name, given, acting(calling))
  },
  delete: async (calling: Calling, name: string) => {
    return calling.bus.alerts.delete(name, acting(calling))
  },
  test: async ({ bus, scope }: Calling, name: string) => {
    return bus.alerts.test(name, scope)
  },
  sent: async ({ bus, scope }: Calling, name: string, filter: DeliveryFilter = {}) => {
    return bus.alerts.sent(name, { ...filter, ...scope })
  },
}
