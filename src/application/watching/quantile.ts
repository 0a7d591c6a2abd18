import type { Spread } from '../ports/reading/figures.ts'

/** How many attempts took how long: the length of each slot grows by a fourth root of two, see the migration of figures. */
export interface Slot {
  readonly slot: number
  readonly count: number
}

/** The end of a slot in milliseconds. */
const endOf = (slot: number): number => 2 ** ((slot - 1) / 4)

/** The time that a share of the attempts did not exceed, in milliseconds; null: there were none. `slots` in order. */
export const quantile = (slots: readonly Slot[], share: number): number | null => {
  const all = slots.reduce((sum, { count }) => sum + count, 0)
  if (all === 0) return null
  const wanted = share * all
  let before = 0
  for (const { slot, count } of slots) {
    if (before + count >= wanted) {
      const from = slot === 1 ? 0 : endOf(slot - 1)
      const ms = from + (endOf(slot) - from) * Math.max(0, (wanted - before) / count)
      return ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)
    }
    before += count
  }
  return null
}

export const spreadOf = (slots: readonly Slot[]): Spread => ({
  p50Ms: quantile(slots, 0.5),
  p95Ms: quantile(slots, 0.95),
})
