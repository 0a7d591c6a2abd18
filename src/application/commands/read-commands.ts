import { parkedConditions } from '../../domain/command/parking.ts'
import { ANY_PATH, MAX_SEARCHED_VALUE, type PayloadCondition } from '../../domain/json/payload-path.ts'
import { isUuid } from '../../domain/uuid.ts'
import {
  type AuditFilter,
  type CommandFilter,
  type CommandQueries,
  commandSorts,
  type GroupFilter,
  parkedSorts,
  type TroubleshootingFilter,
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
  oneOf,
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
  list: async (filter: CommandFilter = {}) => {
    const parsed = commandFilterOf(filter)
    if (parsed.payload !== undefined) requireDeclared(parsed.payload.path, await queries.searchablePaths())
    return queries.list(parsed)
  },
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

const payloadOf = (value: unknown): PayloadCondition => {
  const { path, value: sought } = Object(value)
  const text = typeof sought === 'number' || typeof sought === 'boolean' ? String(sought) : sought
  if (text === '') return { path: textOf(path, 'payload.path', 200), value: '' }
  return {
    path: textOf(path, 'payload.path', 200),
    // as the index has it
    value: [...textOf(text, 'payload.value', 10_000)].slice(0, MAX_SEARCHED_VALUE).join(''),
  }
}

const requireDeclared = (path: string, declared: readonly string[]): void => {
  if (path === ANY_PATH || declared.includes(path)) return
  const known = declared.length === 0 ? 'no path is' : `declared are ${declared.join(', ')}`
  throw new InvalidInputError(
    'payload',
    `'${path}' is not declared for search (${known}): declare it with \`commandbus search declare\``,
  )
}

const idPrefixOf = (value: unknown): string => {
  const text = textOf(value, 'idPrefix', 36).toLowerCase()
  if (text.length >= 8 && isUuid(text + NO_ID.slice(text.length))) return text
  throw new InvalidInputError('idPrefix', 'must be the first 8 to 36 characters of a command id')
}
const NO_ID = '00000000-0000-0000-0000-000000000000'

const messageOf = ({ message, status }: CommandFilter): string | null => {
  if (message === undefined || message === null) return null
  if (status !== 'FAILED' && status !== 'IN_TROUBLESHOOTING_QUEUE') {
    throw new InvalidInputError('message', 'give status FAILED or IN_TROUBLESHOOTING_QUEUE with it')
  }
  return textOf(message, 'message', 200)
}

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
    retrying: optional(filter.retrying, value => booleanOf(value, 'retrying')),
    payload: optional(filter.payload, payloadOf),
    idPrefix: optional(filter.idPrefix, idPrefixOf),
    message: messageOf(filter),
    sort: optional(filter.sort, value => oneOf(commandSorts, value, 'sort')),
    limit: optional(filter.limit, limitOf),
    cursor: optional(filter.cursor, cursorOf),
  } as never)
}

export const troubleshootingFilterOf = (filter: TroubleshootingFilter): TroubleshootingFilter => ({
  ...conditionsOf(filter, parkedConditions),
  ...given<TroubleshootingFilter>({
    tenantId: optional(filter.tenantId, scopedTenantOf),
    sort: optional(filter.sort, value => oneOf(parkedSorts, value, 'sort')),
    limit: optional(filter.limit, limitOf),
    cursor: optional(filter.cursor, cursorOf),
    counted: optional(filter.counted, value => booleanOf(value, 'counted')),
  } as never),
})
