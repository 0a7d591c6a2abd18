import type { Hours } from './hours.ts'

/** When an action ends early, counted over commands that did not complete after their retry. */
export interface StopRule {
  /** So many of all stages. */
  readonly failures?: number
  /** This share of a stage, above 0 up to 1. */
  readonly share?: number
  /** So many with the error code that they had before; true: one. */
  readonly sameCause?: number | boolean
}

/** How an action on many goes about its commands; what is left out does not limit it. */
export interface Campaign {
  /** Percent of all commands that are sent when a stage is: rising, the last is 100. */
  readonly stages?: readonly number[]
  /** How many are begun in a second, above 0 up to 10,000. */
  readonly ratePerSecond?: number
  readonly stopWhen?: StopRule
  /** Only within these hours. */
  readonly between?: Hours
}

interface Staged {
  readonly total: number
  readonly canary: number | null
  readonly campaign: Campaign
}

/** How many commands are sent at the end of each stage. Stages that would add none are left out. */
export const stageTargets = ({ total, canary, campaign: { stages } }: Staged): readonly number[] => {
  if (canary !== null) return [canary, Math.max(canary, total)]
  // 1.1 % of 1,000 is 11.000000000000002 to the computer
  const targets = (stages ?? [100]).map(percent => Math.ceil(((total * percent) / 100) * (1 - 1e-12)))
  return targets.filter((target, i) => i === 0 || target > (targets[i - 1] ?? 0))
}

/** A canary is a first stage of which every command has to complete. */
export const ruleOf = ({ canary, campaign }: Omit<Staged, 'total'>): StopRule | null =>
  canary !== null ? { failures: 1 } : (campaign.stopWhen ?? null)

/** What became of the commands that were sent. */
export interface SoFar {
  /** In all stages. */
  readonly failures: number
  readonly sameCause: number
  /** In the present stage; its size includes what is still to be sent. */
  readonly failuresOfStage: number
  readonly sizeOfStage: number
}

/** Which part of the rule is broken, in words; null: none. */
export const brokenRule = ({ failures, share, sameCause }: StopRule, soFar: SoFar): string | null => {
  const same = sameCause === true ? 1 : sameCause === false ? undefined : sameCause
  if (failures !== undefined && soFar.failures >= failures) return `${soFar.failures} did not complete`
  // divided, because 0.07 * 100 is more than 7
  if (share !== undefined && soFar.failuresOfStage > 0 && soFar.failuresOfStage / soFar.sizeOfStage >= share) {
    return `${soFar.failuresOfStage} of the ${soFar.sizeOfStage} of this stage did not complete`
  }
  return same !== undefined && soFar.sameCause >= same
    ? `${soFar.sameCause} failed with the same error as before`
    : null
}
