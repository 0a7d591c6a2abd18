import { rateTargets } from './targets.ts'
import { type Work, works } from './work.ts'

/** What one contender managed in one round. */
export type Sample = { readonly work: Work; readonly variant: string; readonly round: number; readonly rate: number }

export type Row = {
  readonly work: Work
  readonly variant: string
  readonly rate: number
  readonly min: number
  readonly max: number
  readonly raw: number
  readonly ratio: number
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/**
 * Medians over the rounds. The ratio is the median of the ratios of each round, so that a machine which slows down
 * between two rounds does not change it.
 */
export const summarize = (samples: readonly Sample[], variants: readonly string[]): readonly Row[] =>
  works.flatMap(work =>
    variants.flatMap(variant => {
      const ofWork = samples.filter(sample => sample.work === work)
      const own = ofWork.filter(sample => sample.variant === variant)
      if (own.length === 0) return []
      const raws = ofWork.filter(sample => sample.variant === 'raw')
      const rawOf = (round: number) => raws.find(sample => sample.round === round)?.rate ?? Number.NaN
      const rates = own.map(sample => sample.rate)
      return {
        work,
        variant,
        rate: median(rates),
        min: Math.min(...rates),
        max: Math.max(...rates),
        raw: median(raws.map(sample => sample.rate)),
        ratio: median(own.map(sample => sample.rate / rawOf(sample.round))),
      }
    }),
  )

const columns = ['work', 'variant', 'per second', 'min', 'max', 'ratio to raw', 'target', 'aim'] as const

const cells = (row: Row): readonly string[] => {
  const { reach, aim } = rateTargets[row.work]
  return [
    row.work,
    row.variant,
    ...[row.rate, row.min, row.max].map(rate => Math.round(rate).toLocaleString('en-US')),
    row.ratio.toFixed(2),
    ...(row.variant === 'ours' ? [reach.toFixed(2), aim.toFixed(2)] : ['', '']),
  ]
}

/** Columns as wide as their widest cell: text to the left, numbers to the right. */
export const align = (lines: readonly (readonly string[])[], isText: (column: number) => boolean): string => {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return lines.map(line => line.map(pad).join('  ').trimEnd()).join('\n')
}

export const table = (rows: readonly Row[]): string => align([columns, ...rows.map(cells)], column => column < 2)

export const decimals = (value: number, digits: number): number => Number(value.toFixed(digits))

export const results = (rows: readonly Row[]) =>
  rows.map(({ work, variant, rate, raw, ratio }) => ({
    work,
    variant,
    rate: decimals(rate, 1),
    raw: decimals(raw, 1),
    ratio: decimals(ratio, 3),
  }))

export const json = (rows: readonly Row[]): string => JSON.stringify({ results: results(rows) })

/** One sentence for each target that our rate misses. A work that was not measured misses it too. */
export const missed = (rows: readonly Row[]): readonly string[] =>
  works.flatMap(work => {
    const { reach } = rateTargets[work]
    const ratio = rows.find(row => row.work === work && row.variant === 'ours')?.ratio
    if (ratio === undefined) return [`${work} was not measured, the target is ${reach}`]
    return ratio >= reach ? [] : [`${work} reaches ${ratio.toFixed(3)} of raw, the target is ${reach}`]
  })
