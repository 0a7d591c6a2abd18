import { isLeft } from 'fp-ts/lib/Either.js'
import type { LimitEvent } from '../../domain/flow/lane/events.ts'
import { type LimitIntent, type LimitRejection, type LimitState, limit } from '../../domain/flow/lane/limit.ts'
import { laneIdOf, limitStream } from '../../domain/flow/lane/names.ts'
import type { Instant } from '../../domain/instant.ts'
import type { Limit } from '../ports/reading/lane-queries.ts'
import { domainOf, instantOf, optional } from '../shared/input.ts'
import { LimitNotFoundError } from './flow-errors.ts'
import { type LimitOptions, limitNameOf, operatorOf, ruleOf } from './lane-input.ts'
import type { LanesDeps } from './lanes.ts'
import type { SettingKind } from './settings-store.ts'

/** Which limits `limits.list` returns. */
export interface LimitsFilter {
  readonly domain?: string
  /** What held at this instant (ISO 8601), from the log. Default: now. */
  readonly at?: string
}

const limitKind: SettingKind<LimitState, LimitIntent, LimitEvent, LimitRejection> = {
  name: 'LaneLimit',
  prefix: limitStream(''),
  decider: limit,
  tenantOf: () => null,
}

/** Rules that put commands into lanes when they are sent. */
export const createLimits = ({ settings, queries, clock }: LanesDeps) => {
  const change = async (domain: string, name: string, intentAt: (at: Instant) => LimitIntent): Promise<Limit> => {
    const outcome = await settings.change(limitKind, laneIdOf(domain, name), intentAt(clock.now().toISOString()))
    if (isLeft(outcome) || outcome.right.state.status === 'NONE') throw new LimitNotFoundError(domain, name)
    return viewOf(outcome.right.state)
  }

  return {
    /** By domain and name: the first 1,000. @throws InvalidInputError */
    list: async (filter: LimitsFilter = {}): Promise<readonly Limit[]> => {
      const domain = optional(filter.domain, domainOf)
      if (filter.at === undefined) return queries.limits(domain)
      const states = [...(await settings.at(limitKind, instantOf(filter.at, 'at'))).values()]
      return states
        .flatMap(state => (state.status === 'SET' ? [viewOf(state)] : []))
        .filter(one => domain === null || one.domain === domain)
        .sort((a, b) => (laneIdOf(a.domain, a.name) < laneIdOf(b.domain, b.name) ? -1 : 1))
    },

    /** @throws InvalidInputError, LimitNotFoundError */
    get: async (domain: string, name: string): Promise<Limit> => {
      const key = [domainOf(domain), limitNameOf(name)] as const
      const found = await queries.limit(...key)
      if (found === null) throw new LimitNotFoundError(...key)
      return found
    },

    /** Sets a rule. It is for commands that are sent from then on; of its lanes, those that exist obey it, too. @throws InvalidInputError */
    set: async (domain: string, name: string, options: LimitOptions): Promise<Limit> => {
      const key = { domain: domainOf(domain), name: limitNameOf(name) }
      const [actor, rule] = [operatorOf(options.operator), ruleOf(options)]
      return change(key.domain, key.name, at => ({ type: 'Set', at, actor, ...key, ...rule }))
    },

    /**
     * Removes a rule: its lanes have no limit any more, and those of keys are as without a rule. Removed again, it stays so.
     * @throws InvalidInputError, LimitNotFoundError
     */
    delete: async (domain: string, name: string, options: { readonly operator?: string } = {}): Promise<Limit> => {
      const actor = operatorOf(options.operator)
      return change(domainOf(domain), limitNameOf(name), at => ({ type: 'Remove', at, actor }))
    },
  }
}

export type Limits = ReturnType<typeof createLimits>

const viewOf = (state: Exclude<LimitState, { status: 'NONE' }>): Limit => ({
  domain: state.domain,
  name: state.name,
  commandType: state.commandType,
  by: state.by,
  width: state.width,
  ratePerSecond: state.ratePerSecond,
  onPark: state.onPark,
  updatedBy: state.actor,
  updatedAt: state.at,
})
