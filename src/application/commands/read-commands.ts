import { parkedConditions } from '../../domain/command/parking.ts'
import type {
  AuditFilter,
  CommandFilter,
  CommandQueries,
  GroupFilter,
  TroubleshootingFilter,
} from '../ports/reading/command-queries.ts'
import { InvalidInputError } from '../shared/errors.ts'
import {
  auditTypeOf,
  booleanOf,
  commandIdOf,
  commandTypeOf,
  correlationIdOf,
  domainOf,
  instantOf,
  limitOf,
  optional,
  statusOf,
  textOf,
} from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'
import { conditionsOf } from './parked-filter.ts'

/** The queries with their input checked. @throws InvalidInputError */
export const createCommandReader = (queries: CommandQueries) => ({
  get: async (domain: string, commandId: string) => queries.get(domainOf(domain), commandIdOf(commandId)),
  find: async (commandId: string) => queries.find(commandIdOf(commandId)),
  list: async (filter: CommandFilter = {}) => queries.list(commandFilterOf(filter)),
  auditTrail: async (domain: string, commandId: string, filter: AuditFilter = {}) => {
    const eventType = optional(filter.eventType, auditTypeOf)
    return queries.auditTrail(domainOf(domain), commandIdOf(commandId), eventType === null ? {} : { eventType })
  },
  parked: async (filter: TroubleshootingFilter = {}) => queries.parked(troubleshootingFilterOf(filter)),
  parkedGroups: async ({ byFrame, ...filter }: GroupFilter = {}) =>
    queries.parkedGroups({
      ...troubleshootingFilterOf(filter),
      byFrame: optional(byFrame, value => booleanOf(value, 'byFrame')) ?? true,
    }),
})

/** Leaves out what was not given. */
const given = <Filter extends object>(filter: { readonly [K in keyof Filter]: Filter[K] | null }): Filter =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== null)) as Filter

const ordered = (from: string | null, to: string | null, names: string): void => {
  if (from !== null && to !== null && from >= to)
    throw new InvalidInputError(names, 'the first must be before the second')
}

const errorCodeOf = (value: unknown): string => textOf(value, 'errorCode', 200)
const cursorOf = (value: unknown): string => textOf(value, 'cursor', 500)

const commandFilterOf = (filter: CommandFilter): CommandFilter => {
  const createdAfter = optional(filter.createdAfter, value => instantOf(value, 'createdAfter'))
  const createdBefore = optional(filter.createdBefore, value => instantOf(value, 'createdBefore'))
  ordered(createdAfter, createdBefore, 'createdAfter, createdBefore')
  return given<CommandFilter>({
    domain: optional(filter.domain, domainOf),
    status: optional(filter.status, statusOf),
    commandType: optional(filter.commandType, commandTypeOf),
    errorCode: optional(filter.errorCode, errorCodeOf),
    correlationId: optional(filter.correlationId, correlationIdOf),
    tenantId: optional(filter.tenantId, scopedTenantOf),
    createdAfter,
    createdBefore,
    scheduled: optional(filter.scheduled, value => booleanOf(value, 'scheduled')),
    limit: optional(filter.limit, limitOf),
    cursor: optional(filter.cursor, cursorOf),
  } as never)
}

export const troubleshootingFilterOf = (filter: TroubleshootingFilter): TroubleshootingFilter => ({
  ...conditionsOf(filter, parkedConditions),
  ...given<TroubleshootingFilter>({
    tenantId: optional(filter.tenantId, scopedTenantOf),
    limit: optional(filter.limit, limitOf),
    cursor: optional(filter.cursor, cursorOf),
  } as never),
})
