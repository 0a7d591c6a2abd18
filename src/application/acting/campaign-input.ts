import type { Campaign, StopRule } from '../../domain/campaign/campaign.ts'
import { type Hours, isTimeOfDay, isTimeZone } from '../../domain/campaign/hours.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { defined, optional, textOf, wholeOf } from '../shared/input.ts'

export const MAX_RATE = 10_000
const MAX_STAGES = 20
const MAX_UNDO_SECONDS = 3_600

/** The members of a request that make it a campaign. */
export interface CampaignOptions extends Campaign {
  /** Nothing is done for so long, and a stop undoes all of it: 0 to 3,600. Default 0. */
  readonly undoSeconds?: number
}

/** How an action goes about its commands, checked. @throws InvalidInputError */
export const campaignOf = (given: CampaignOptions): Campaign =>
  defined({
    stages: optional(given.stages, stagesOf) ?? undefined,
    ratePerSecond: optional(given.ratePerSecond, rateOf) ?? undefined,
    stopWhen: optional(given.stopWhen, ruleOf) ?? undefined,
    between: optional(given.between, hoursOf) ?? undefined,
  })

export const undoSecondsOf = ({ undoSeconds }: CampaignOptions): number =>
  optional(undoSeconds, value => wholeOf(value, 'undoSeconds', 0, MAX_UNDO_SECONDS)) ?? 0

const stagesOf = (given: unknown): readonly number[] => {
  const isRising = (stages: readonly unknown[]): stages is readonly number[] =>
    stages.every((percent, i) => typeof percent === 'number' && percent > (i === 0 ? 0 : Number(stages[i - 1])))
  if (Array.isArray(given) && given.length <= MAX_STAGES && isRising(given) && given.at(-1) === 100) return given
  throw new InvalidInputError(
    'stages',
    `must be up to ${MAX_STAGES} rising percentages that end in 100, such as [1, 5, 25, 100]`,
  )
}

const rateOf = (given: unknown): number => {
  if (typeof given === 'number' && given > 0 && given <= MAX_RATE) return given
  throw new InvalidInputError('ratePerSecond', `must be a number above 0, up to ${MAX_RATE}`)
}

const ruleOf = (given: unknown): StopRule => {
  const { failures, share, sameCause, ...others } = objectOf(given, 'stopWhen')
  const [other] = Object.keys(others)
  if (other !== undefined) throw new InvalidInputError(`stopWhen.${other}`, 'is not a rule: failures, share, sameCause')
  const rule = defined({
    failures: optional(failures, value => wholeOf(value, 'stopWhen.failures', 1)) ?? undefined,
    share: optional(share, shareOf) ?? undefined,
    sameCause:
      typeof sameCause === 'boolean'
        ? sameCause || undefined
        : (optional(sameCause, value => wholeOf(value, 'stopWhen.sameCause', 1)) ?? undefined),
  })
  if (Object.keys(rule).length > 0) return rule
  throw new InvalidInputError('stopWhen', 'names no rule: give failures, share or sameCause')
}

const shareOf = (given: unknown): number => {
  if (typeof given === 'number' && given > 0 && given <= 1) return given
  throw new InvalidInputError('stopWhen.share', 'must be above 0, up to 1: 0.05 is 5 percent')
}

const hoursOf = (given: unknown): Hours => {
  const hours = objectOf(given, 'between')
  const [from, to, timeZone] = (['from', 'to', 'timeZone'] as const).map(name =>
    textOf(hours[name], `between.${name}`, 80),
  ) as [string, string, string]
  for (const [name, time] of Object.entries({ from, to })) {
    if (!isTimeOfDay(time)) throw new InvalidInputError(`between.${name}`, 'must be a time of day, such as 09:00')
  }
  if (from === to) throw new InvalidInputError('between', 'must have two different times; leave it out for any time')
  if (isTimeZone(timeZone)) return { from, to, timeZone }
  throw new InvalidInputError('between.timeZone', 'must be an IANA name, such as Europe/Berlin or UTC')
}

const objectOf = (given: unknown, field: string): Readonly<Record<string, unknown>> => {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Record<string, unknown>
  throw new InvalidInputError(field, 'must be an object')
}
