import type { Counts } from './sample.ts'

export interface Measured {
  readonly value: number
  readonly failed: boolean
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

/** Values with how often they occur, in ascending order. */
const grouped = (measured: readonly Measured[]): readonly Step[] => {
  const steps: Step[] = []
  for (const { value, failed } of [...measured].sort((a, b) => a.value - b.value)) {
    let last = steps.at(-1)
    if (last?.value !== value) {
      last = { value, failed: 0, succeeded: 0 }
      steps.push(last)
    }
    if (failed) last.failed++
    else last.succeeded++
  }
  return steps
}

interface Step {
  readonly value: number
  failed: number
  succeeded: number
}

/**
 * The interval of values in which the share of the failed is larger than that of the succeeded by most. Null: there is none
 * that leaves anything out.
 */
export const bestInterval = (measured: readonly Measured[], all: Counts): Interval | null => {
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
