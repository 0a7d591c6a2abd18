import type { Counts } from './sample.ts'

/** Numbers, one beside the other: whether their command failed, and when it was sent, in milliseconds since 1970. */
export interface Measured {
  readonly values: number[]
  readonly failed: boolean[]
  readonly at: number[]
}

export interface Interval extends Counts {
  readonly from: number
  readonly to: number
  /** It begins with the smallest value of all, or ends with the largest. */
  readonly isFirst: boolean
  readonly isLast: boolean
  /** How many intervals there were to choose from. */
  readonly choices: number
}

interface Step {
  readonly value: number
  failed: number
  succeeded: number
}

/** Values with how often they occur, in ascending order. */
const grouped = ({ values, failed }: Measured): readonly Step[] => {
  const [one, other] = [true, false].map(side => Float64Array.from(values.filter((_, i) => failed[i] === side)).sort())
  const [ofFailed, ofOthers] = [one ?? new Float64Array(), other ?? new Float64Array()]
  const steps: Step[] = []
  let [i, k] = [0, 0]
  while (i < ofFailed.length || k < ofOthers.length) {
    const value = Math.min(ofFailed[i] ?? Number.POSITIVE_INFINITY, ofOthers[k] ?? Number.POSITIVE_INFINITY)
    const step = { value, failed: 0, succeeded: 0 }
    for (; ofFailed[i] === value; i++) step.failed++
    for (; ofOthers[k] === value; k++) step.succeeded++
    steps.push(step)
  }
  return steps
}

/**
 * The interval of values in which the share of the failed is larger than that of the succeeded by most. Null: there is none
 * that leaves anything out.
 */
export const bestInterval = (measured: Measured, all: Counts): Interval | null => {
  const steps = grouped(measured)
  const gain = ({ failed, succeeded }: Counts): number => failed / all.failed - succeeded / all.succeeded
  let best = { gain: 0, from: 0, to: -1 }
  let sum = 0
  let from = 0
  steps.forEach((step, to) => {
    if (sum <= 0) {
      sum = 0
      from = to
    }
    sum += gain(step)
    if (sum > best.gain) best = { gain: sum, from, to }
  })
  const inside = steps.slice(best.from, best.to + 1)
  const [first, last] = [inside[0], inside.at(-1)]
  if (first === undefined || last === undefined || inside.length === steps.length) return null
  return {
    from: first.value,
    to: last.value,
    failed: inside.reduce((count, step) => count + step.failed, 0),
    succeeded: inside.reduce((count, step) => count + step.succeeded, 0),
    isFirst: best.from === 0,
    isLast: best.to === steps.length - 1,
    choices: (steps.length * (steps.length + 1)) / 2,
  }
}

/** A number that grows from command to command, such as a counter or a time, says when they were sent. */
const GROWS = 0.98

/** Whether the values only say when their commands were sent, in other words. */
export const followsTime = ({ values, at }: Measured): boolean => {
  const byTime = Array.from(values.keys()).sort((a, b) => (at[a] as number) - (at[b] as number))
  let [more, less] = [0, 0]
  for (let i = 1; i < byTime.length; i++) {
    const step = (values[byTime[i] as number] as number) - (values[byTime[i - 1] as number] as number)
    if (step > 0) more++
    if (step < 0) less++
  }
  return more > 0 && more >= GROWS * (more + less)
}
