import type { StrangerFilter } from '../ports/strangers.ts'
import type { AdoptOptions, DropOptions } from '../strangers/strangers.ts'
import { admitQueues, ownReplyQueues } from './callers-queues.ts'
import { type CallersFilter, type Calling, hidesFrom, refuseUnseen } from './calling.ts'

type CallersOptions<Options> = Omit<Options, 'operator' | 'tenantId' | 'closed'>

export const strangerCalls = {
  list: async ({ bus, scope }: Calling, filter: CallersFilter<StrangerFilter> = {}) => {
    return bus.strangers.list({ ...filter, ...scope })
  },
  /** Leaves out domains whose commands only the bus sends. @throws ReplyQueueRefusedError */
  adopt: async (calling: Calling, options: CallersOptions<AdoptOptions> = {}) => {
    await admitQueues(calling, ownReplyQueues(calling, options.replyTo))
    // as a command of another type it would be shown
    const renames = options.commandType !== undefined && options.commandType !== null
    if (renames && (await hidesFrom(calling, options.domain ?? null, null))) refuseUnseen('another type')
    const { bus, scope, identity, reservedDomains } = calling
    return bus.strangers.adopt({ ...options, ...scope, operator: identity.subject, closed: reservedDomains })
  },
  drop: async ({ bus, scope, identity }: Calling, options: CallersOptions<DropOptions>) => {
    return bus.strangers.drop({ ...options, ...scope, operator: identity.subject })
  },
}
