import { commandQueue } from '../../domain/command/names.ts'
import type { Json } from '../../domain/json/json.ts'
import { sameJson } from '../../domain/json/same-json.ts'
import { ScheduleNotFoundError } from '../flow/schedule-errors.ts'
import type { NewSchedule } from '../flow/schedule-input.ts'
import type { ScheduleOptions } from '../flow/schedules.ts'
import type { ScheduleFilter } from '../ports/reading/schedule-queries.ts'
import { domainOf } from '../shared/input.ts'
import { admitQueues, ownReplyQueues } from './callers-queues.ts'
import { type CallersFilter, type Calling, hideFrom, hidesFrom, refuseUnseen } from './calling.ts'
import { demandOpen } from './command-calls.ts'

const callerOf = ({ identity, scope }: Calling): ScheduleOptions => ({ operator: identity.subject, ...scope })

/** The queues that a schedule needs are refused or counted as for a send. */
const admitSchedule = (calling: Calling, { domain, replyTo }: Pick<NewSchedule, 'domain' | 'replyTo'>) => {
  demandOpen(calling, domain)
  return admitQueues(calling, [commandQueue(domainOf(domain)), ...ownReplyQueues(calling, replyTo)])
}

const find = async (calling: Calling, name: string) => {
  const found = await calling.bus.schedules.get(name, calling.scope)
  if (found === null) throw new ScheduleNotFoundError(name)
  return found
}

/**
 * Who cannot see members of the payload changes the times with the payload as it was shown: then the original stays.
 * @throws ForbiddenError for another payload
 */
const withHidden = async (calling: Calling, name: string, given: NewSchedule): Promise<unknown> => {
  const { domain, commandType, data } = given
  const found = await calling.bus.schedules.get(name, calling.scope)
  if (found === null || !(await hidesFrom(calling, found.domain, found.commandType))) return data
  const shown = await hideFrom(calling, found, null)
  const isSame = domain === found.domain && commandType === found.commandType && sameJson(shown.data, data as Json)
  return isSame ? found.data : refuseUnseen('another one')
}

export const scheduleCalls = {
  list: async ({ bus, scope }: Calling, filter: CallersFilter<ScheduleFilter> = {}) => {
    return bus.schedules.list({ ...filter, ...scope })
  },
  /** @throws ScheduleNotFoundError */
  get: async (calling: Calling, name: string) => {
    return find(calling, name)
  },
  set: async (calling: Calling, name: string, given: NewSchedule) => {
    await admitSchedule(calling, given)
    return calling.bus.schedules.set(
      name,
      { ...given, data: await withHidden(calling, name, given) },
      callerOf(calling),
    )
  },
  delete: async (calling: Calling, name: string) => {
    return calling.bus.schedules.delete(name, callerOf(calling))
  },
  pause: async (calling: Calling, name: string, reason: string) => {
    return calling.bus.schedules.pause(name, reason, callerOf(calling))
  },
  resume: async (calling: Calling, name: string) => {
    return calling.bus.schedules.resume(name, callerOf(calling))
  },
  run: async (calling: Calling, name: string) => {
    const { domain, replyTo } = await find(calling, name)
    await admitSchedule(calling, { domain, ...(replyTo === null ? {} : { replyTo }) })
    return calling.bus.schedules.run(name, callerOf(calling))
  },
}
