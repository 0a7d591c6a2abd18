import type { LaneSettings, LimitSet } from '../../domain/flow/lane/events.ts'
import { lanesBy, onParkChoices } from '../../domain/flow/lane/events.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { commandTypeOf, oneOf, optional, textOf, wholeOf } from '../shared/input.ts'

/** Settings of a lane: how many of its commands run at once, and how fast they begin. */
export interface LaneOptions {
  /** How many commands of the lane run at once: 1 to 1,000. */
  readonly width: number
  /** How many begin within a second at most. Default: no limit. */
  readonly ratePerSecond?: number | null
  /** What a parked command does: `hold` keeps its place, `pass` lets the next run. Default: `hold`; of a rule by type or tenant, `pass`. */
  readonly onPark?: LaneSettings['onPark']
  /** Who changes it, for the record. Default `operator`. */
  readonly operator?: string
}

/** A rule that puts commands into lanes when they are sent. */
export interface LimitOptions extends LaneOptions {
  /** `type`: one lane for all its commands; `tenant`: a lane for each tenant; `key`: the lane of each key. */
  readonly by: LimitSet['by']
  /** Only commands of this type. Default: every type. */
  readonly commandType?: string | null
}

const MAX_WIDTH = 1_000
const MAX_RATE = 1_000_000
const MIN_RATE = 1 / 86_400
const MAX_LIMIT_NAME = 100
/** A key, or the name of a limit with that of a tenant. */
export const MAX_LANE = 229
const LIMIT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/

export const laneOf = (value: unknown): string => textOf(value, 'lane', MAX_LANE)

/** A rule's name begins the names of its lanes. */
export const limitNameOf = (value: unknown): string => {
  const name = textOf(value, 'name', MAX_LIMIT_NAME)
  if (LIMIT_NAME.test(name)) return name
  throw new InvalidInputError(
    'name',
    "must be letters, digits, '_', '.', ':' or '-', starting with a letter or a digit",
  )
}

const rateOf = (value: unknown): number => {
  if (typeof value === 'number' && value >= MIN_RATE && value <= MAX_RATE) return value
  throw new InvalidInputError('ratePerSecond', `must be a number from 1/86400 (one a day) to 1,000,000, not ${value}`)
}

export const laneSettingsOf = (
  { width, ratePerSecond, onPark }: LaneOptions,
  usual: LaneSettings['onPark'] = 'hold',
): LaneSettings => ({
  width: wholeOf(width, 'width', 1, MAX_WIDTH),
  ratePerSecond: optional(ratePerSecond, rateOf),
  onPark: optional(onPark, value => oneOf(onParkChoices, value, 'onPark')) ?? usual,
})

export const ruleOf = (options: LimitOptions): LaneSettings & Pick<LimitSet, 'by' | 'commandType'> => {
  const by = oneOf(lanesBy, options.by, 'by')
  return {
    // a type or a tenant is limited, not kept in order: a few parked commands must not stop all of it
    ...laneSettingsOf(options, by === 'key' ? 'hold' : 'pass'),
    by,
    commandType: optional(options.commandType, commandTypeOf),
  }
}

export const operatorOf = (given: unknown): string =>
  optional(given, value => textOf(value, 'operator', 200)) ?? 'operator'
