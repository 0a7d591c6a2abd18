import type { StrangerFilter } from '../ports/strangers.ts'
import type { AdoptOptions, DropOptions } from '../strangers/strangers.ts'
import { admitQueues, ownReplyQueues } from './callers-queues.ts'
import type { CallersFilter, Calling } from './calling.ts'

type CallersOptions<Options> = Omit<Options, 'operator' | 'tenantId' | 'closed'>

export const strangerCalls = {
  list: async ({ bus, scope }: Calling, filter: CallersFilter<StrangerFilter> = {}) => {
    return bus.strangers.list({ ...filter, ...scope })
  },
  /** Leaves out domains whose commands only the bus sends. @throws ReplyQueueRefusedError */
  adopt: async (calling: Calling, options: CallersOptions<AdoptOptions> = {}) => {
    await admitQueues(calling, ownReplyQueues(calling, options.replyTo))
    const { bus, scope, identity, reservedDomains } = calling
    return bus.strangers.adopt({ ...options, ...scope, operator: identity.subject, closed: reservedDomains })
  },
  drop: async ({ bus, scope, identity }: Calling, options: CallersOptions<DropOptions>) => {
    return bus.strangers.drop({ ...options, ...scope, operator: identity.subject })
  },
}
