import { isLeft } from 'fp-ts/lib/Either.js'
import type { LaneEvent } from '../../domain/flow/lane/events.ts'
import { type LaneIntent, type LaneState, lane } from '../../domain/flow/lane/lane.ts'
import { laneIdOf, laneStream } from '../../domain/flow/lane/names.ts'
import type { Scope } from '../ports/authorization.ts'
import type { Clock } from '../ports/clock.ts'
import type { Page } from '../ports/reading/command-queries.ts'
import type { Lane, LaneFilter, LaneQueries } from '../ports/reading/lane-queries.ts'
import { booleanOf, domainOf, instantOf, optional, pagingOf } from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'
import { type LaneOptions, laneOf, laneSettingsOf, operatorOf } from './lane-input.ts'
import type { SettingKind, Settings } from './settings-store.ts'

export interface LanesDeps {
  readonly settings: Settings
  readonly queries: LaneQueries
  readonly clock: Clock
}

/** A lane's own settings at an instant, and who had set them. */
export interface LaneThen extends Pick<Lane, 'domain' | 'lane' | 'ratePerSecond' | 'onPark'> {
  readonly width: number
  readonly updatedBy: string
  readonly updatedAt: string
}

const laneKind: SettingKind<LaneState, LaneIntent, LaneEvent, never> = {
  name: 'Lane',
  prefix: laneStream(''),
  decider: lane,
  tenantOf: () => null,
}

/** Lanes: at most so many of their commands run at once, in the order of sending. */
export const createLanes = ({ settings, queries, clock }: LanesDeps) => ({
  /** Lanes that have commands or settings of their own, by domain and name. @throws InvalidInputError */
  list: async (filter: LaneFilter = {}): Promise<Page<Lane>> => {
    const domain = optional(filter.domain, domainOf)
    const blocked = optional(filter.blocked, value => booleanOf(value, 'blocked'))
    return queries.list({
      ...scopeOf(filter),
      ...pagingOf(filter),
      ...(domain === null ? {} : { domain }),
      ...(blocked === null ? {} : { blocked }),
    })
  },

  /** One lane; one that nobody has used or set has width 1, holds, and is empty. @throws InvalidInputError */
  get: async (domain: string, lane: string, scope: Scope = {}): Promise<Lane> =>
    queries.one(domainOf(domain), laneOf(lane), scopeOf(scope)),

  /**
   * Sets width, rate and what a parked command does; commands that may now run begin within a second. `tenantId` of the
   * options: whose commands the answer shows.
   * @throws InvalidInputError
   */
  set: async (domain: string, lane: string, options: LaneOptions & Scope): Promise<Lane> => {
    const key = { domain: domainOf(domain), lane: laneOf(lane) }
    const base = { at: clock.now().toISOString(), actor: operatorOf(options.operator) }
    const intent = { type: 'Set' as const, ...base, ...key, ...laneSettingsOf(options) }
    const outcome = await settings.change(laneKind, laneIdOf(key.domain, key.lane), intent)
    if (isLeft(outcome)) return outcome.left
    return queries.one(key.domain, key.lane, scopeOf(options))
  },

  /** The settings of single lanes as they were at an instant (ISO 8601), from the log. @throws InvalidInputError */
  listAt: async (at: string, filter: Pick<LaneFilter, 'domain'> = {}): Promise<readonly LaneThen[]> => {
    const domain = optional(filter.domain, domainOf)
    const states = [...(await settings.at(laneKind, instantOf(at, 'at'))).values()]
    return states
      .flatMap(state => (state.status === 'SET' && (domain === null || state.domain === domain) ? [thenOf(state)] : []))
      .sort((a, b) => (laneIdOf(a.domain, a.lane) < laneIdOf(b.domain, b.lane) ? -1 : 1))
  },
})

export type Lanes = ReturnType<typeof createLanes>

const scopeOf = ({ tenantId }: Scope): Scope => (tenantId === undefined ? {} : { tenantId: scopedTenantOf(tenantId) })

const thenOf = (state: Extract<LaneState, { status: 'SET' }>): LaneThen => ({
  domain: state.domain,
  lane: state.lane,
  width: state.width,
  ratePerSecond: state.ratePerSecond,
  onPark: state.onPark,
  updatedBy: state.actor,
  updatedAt: state.at,
})
