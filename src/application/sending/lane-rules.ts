import type { Send } from '../../domain/command/intents.ts'
import { InvalidInputError } from '../shared/errors.ts'

/** A rule that puts commands of a domain into lanes when they are sent. */
export interface LaneRule {
  readonly name: string
  /** Null: every type. */
  readonly commandType: string | null
  /** One lane for all, one for each tenant, or the lanes of the keys. */
  readonly by: 'type' | 'tenant' | 'key'
}

/** The rules of a domain, by name; a promise where they are not known yet. */
export type LaneRules = (domain: string) => readonly LaneRule[] | Promise<readonly LaneRule[]>

/**
 * The command in the lane of its key, else in that of the first rule that fits. A rule by key gives its limits to the lanes of
 * keys; a rule by tenant is for commands that have one. A key cannot name the lane of a rule: a tenant would get into that of another.
 * @throws InvalidInputError
 */
export const inLaneOf = <Prepared extends { readonly intent: Send }>(
  prepared: Prepared,
  rules: readonly LaneRule[],
): Prepared => {
  const { intent } = prepared
  const { lane: key } = intent
  const owner = key === undefined ? undefined : rules.find(rule => isLaneOf(rule, key))
  if (owner !== undefined)
    throw new InvalidInputError('key', `'${key}' is a lane of the limit '${owner.name}': use another key`)
  const rule = rules.find(
    ({ commandType, by }) =>
      (commandType === null || commandType === intent.commandType) &&
      (intent.lane === undefined ? by === 'type' || (by === 'tenant' && intent.tenantId !== null) : by === 'key'),
  )
  if (rule === undefined) return prepared
  const { name: limit, by } = rule
  const lane = intent.lane ?? (by === 'type' ? limit : `${limit}/${intent.tenantId}`)
  return { ...prepared, intent: { ...intent, lane, limit } }
}

/** Whether a lane gets its name from this rule. */
const isLaneOf = ({ name, by }: LaneRule, lane: string): boolean =>
  (by === 'type' && lane === name) || (by === 'tenant' && lane.startsWith(`${name}/`))
