import type { CommandKey } from '../../domain/command/events.ts'
import {
  actionNamed,
  bulkOptionsOf,
  type ParkedAction,
  parkedActionNames,
} from '../../domain/command/operator-actions.ts'
import { type ActionFilter, actionConditions } from '../../domain/command/parking.ts'
import type { Instant } from '../../domain/instant.ts'
import { campaignOf, undoSecondsOf } from '../acting/campaign-input.ts'
import { conditionsOf } from '../commands/parked-filter.ts'
import {
  type ActionListFilter,
  actionStatuses,
  type BulkDetails,
  becameWords,
  type ItemListFilter,
  itemOutcomes,
  type NewAction,
} from '../ports/action-store.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { commandIdOf, domainOf, oneOf, optional, pagingOf, textOf, wholeOf } from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'
import { detailsOf } from './action-details.ts'
import type { BulkActionOptions } from './operator-options.ts'

/** The most ids in one action; a filter has no limit. */
export const MAX_IDS = 10_000
export const MAX_CANARY = 10_000

/** Checks the options of an action. @throws InvalidInputError */
export const actionOf = (options: BulkActionOptions, now: Instant): Omit<NewAction, 'id'> => ({
  details: bulkDetailsOf(options, now),
  target: targetOf(options),
  ...wayOf(options),
  undoSeconds: undoSecondsOf(options),
  operator: textOf(options.operator, 'operator', 200),
  tenantId: optional(options.tenantId, scopedTenantOf),
})

const wayOf = (options: BulkActionOptions): Pick<NewAction, 'canary' | 'campaign'> => {
  const canary = optional(options.canary, value => wholeOf(value, 'canary', 1, MAX_CANARY))
  if (canary !== null && (options.stages !== undefined || options.stopWhen !== undefined)) {
    throw new InvalidInputError(
      'canary',
      'is a first stage with a rule of its own: leave it out, or stages and stopWhen',
    )
  }
  return { canary, campaign: campaignOf(options) }
}

const bulkDetailsOf = (options: BulkActionOptions, now: Instant): BulkDetails => {
  const action = oneOf(parkedActionNames, options.action, 'action')
  for (const [field, owners] of ownersOf) {
    if (!owners.includes(action) && Reflect.get(options, field) !== undefined) {
      throw new InvalidInputError(field, `belongs to ${owners.join(' and ')}, not to ${action}; leave it out`)
    }
  }
  return { action, ...detailsOf(action, options, now, bulkOptionsOf(action)) } as BulkDetails
}

/** What needs to know how a command went on. */
const staged: readonly string[] = ['canary', 'stages', 'stopWhen']

/** The actions that accept an option. */
const ownersOf = new Map<string, readonly ParkedAction[]>(
  [...staged, ...parkedActionNames.flatMap(name => bulkOptionsOf(name).map(([option]) => option))].map(option => [
    option,
    parkedActionNames.filter(name =>
      staged.includes(option) ? actionNamed(name).canary : bulkOptionsOf(name).some(([own]) => own === option),
    ),
  ]),
)

const targetOf = ({ filter, ids }: BulkActionOptions): NewAction['target'] => {
  if ((filter === undefined) === (ids === undefined)) {
    throw new InvalidInputError('filter, ids', 'give one of them: a filter, or the ids of the commands')
  }
  return ids === undefined ? { filter: filterOf(filter) } : { ids: idsOf(ids) }
}

const filterOf = (given: unknown): ActionFilter => {
  const filter = recordOf(given, 'filter')
  const unknown = Object.keys(filter).find(name => !filterFields.has(name))
  // an unknown condition must not widen the selection
  if (unknown !== undefined)
    throw new InvalidInputError(`filter.${unknown.slice(0, 80)}`, 'is not a condition of an action')
  return conditionsOf(filter, actionConditions, 'filter.')
}

const filterFields: ReadonlySet<string> = new Set(actionConditions.map(([name]) => name))

/** The ids without repetitions, in the order given. */
const idsOf = (given: unknown): readonly CommandKey[] => {
  if (!Array.isArray(given)) throw new InvalidInputError('ids', 'must be a list')
  if (given.length === 0) throw new InvalidInputError('ids', 'must name at least one command')
  if (given.length > MAX_IDS) {
    throw new InvalidInputError(
      'ids',
      `at most ${MAX_IDS} in one action, not ${given.length}; use a filter or split them`,
    )
  }
  const keys = new Map<string, CommandKey>()
  given.forEach((one, i) => {
    const { domain, commandId } = within(`ids[${i}]`, () => {
      const key = recordOf(one, 'command')
      return { domain: domainOf(key.domain), commandId: commandIdOf(key.commandId) }
    })
    keys.set(`${domain} ${commandId}`, { domain, commandId })
  })
  return [...keys.values()]
}

/** The filter of a list of actions, checked. @throws InvalidInputError */
export const actionListOf = (filter: ActionListFilter): ActionListFilter => ({
  ...(filter.status === undefined ? {} : { status: oneOf(actionStatuses, filter.status, 'status') }),
  ...(filter.tenantId === undefined ? {} : { tenantId: scopedTenantOf(filter.tenantId) }),
  ...pagingOf(filter),
})

export const itemListOf = (filter: ItemListFilter): ItemListFilter => ({
  ...(filter.outcome === undefined ? {} : { outcome: oneOf(itemOutcomes, filter.outcome, 'outcome') }),
  ...(filter.became === undefined ? {} : { became: oneOf(becameWords, filter.became, 'became') }),
  ...pagingOf(filter),
})

const recordOf = (value: unknown, field: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidInputError(field, 'must be an object')
  }
  return value as Readonly<Record<string, unknown>>
}

const within = <A>(path: string, parse: () => A): A => {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    throw new InvalidInputError(`${path}.${error.field}`, error.message.slice(error.field.length + 2))
  }
}
