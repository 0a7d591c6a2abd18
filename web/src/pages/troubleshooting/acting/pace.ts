/** From so many commands on, stages are proposed, and above the second the count is typed before a cancel or complete. */
export const MANY = 20
export const TYPED = 100
/** So long nothing is done after cancel or complete of several, and all of it can be undone. */
export const UNDO_SECONDS = 10

/** The way in which an action on many goes about its commands, as its fields hold it. */
export interface Pace {
  /** How many are retried first; null: there is no canary. */
  readonly canary: number | null
  readonly inStages: boolean
  readonly stages: string
  /** In percent; empty: no rule. */
  readonly stopShare: string
  readonly rate: string
  readonly from: string
  readonly to: string
}

export const usualCanary = (count: number): number => Math.min(10, Math.max(1, Math.floor(count / 10)))

export const usualPace = (staged: boolean, count: number): Pace => ({
  canary: null,
  inStages: staged && count > MANY,
  stages: '1, 5, 25, 100',
  stopShare: '5',
  rate: '',
  from: '',
  to: '',
})

export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/** As a request has it; null: a field is not valid. */
export const readPace = (pace: Pace): { readonly [member: string]: unknown } | null => {
  const { canary, inStages, stopShare, rate, from, to } = pace
  const stages = pace.stages.split(',').map(Number)
  const rising = stages.every((percent, i) => percent > (stages[i - 1] ?? 0)) && stages.at(-1) === 100
  const share = Number(stopShare)
  if (inStages && (!rising || !(share >= 0 && share <= 100))) return null
  if (!(Number(rate) >= 0) || (from === '') !== (to === '') || (from !== '' && from === to)) return null
  return {
    ...(canary === null ? {} : { canary }),
    ...(inStages ? { stages, ...(share > 0 ? { stopWhen: { share: share / 100 } } : {}) } : {}),
    ...(Number(rate) > 0 ? { ratePerSecond: Number(rate) } : {}),
    ...(from === '' ? {} : { between: { from, to, timeZone: timeZone() } }),
  }
}
