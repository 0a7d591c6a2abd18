import type { Counts } from './sample.ts'

const known: number[] = [0, 0]

/** ln n! */
const lnFactorial = (n: number): number => {
  for (let i = known.length; i <= n; i++) known.push((known[i - 1] as number) + Math.log(i))
  return known[n] as number
}

const lnChoose = (n: number, k: number): number => lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k)

/**
 * How likely it is, at most, that so many of `found` or more are among the failed when failing has nothing to do with it
 * (Fisher's exact test, one-sided), as a natural logarithm. The sum of the tail is bounded by a geometric series.
 */
export const lnChance = (found: Counts, all: Counts): number => {
  const both = found.failed + found.succeeded
  const lnMass = (failed: number): number =>
    lnChoose(all.failed, failed) + lnChoose(all.succeeded, both - failed) - lnChoose(all.failed + all.succeeded, both)
  const first = lnMass(found.failed)
  if (found.failed === Math.min(all.failed, both)) return first
  // the terms fall faster and faster
  const ratio = Math.exp(lnMass(found.failed + 1) - first)
  return ratio < 1 ? Math.min(0, first - Math.log1p(-ratio)) : 0
}

/** By how much the share of the failed is larger than that of the succeeded. */
export const differenceOf = (found: Counts, all: Counts): number =>
  shareOf(found.failed, all.failed) - shareOf(found.succeeded, all.succeeded)

export const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
