/** ISO 8601 with milliseconds, UTC. */
export type Instant = string

const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const

/** Whole seconds in the largest unit that fits, such as `19 min`. */
export const ageOf = (seconds: number): string => {
  const [size, unit] = units.find(([its]) => seconds >= its) ?? [1, 's']
  return `${Math.floor(seconds / size)} ${unit}`
}

/** A year: the longest delay, and the longest interval of a schedule. */
export const YEAR_SECONDS = 31_536_000
