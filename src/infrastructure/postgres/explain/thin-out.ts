/** A part of the time, with some of its commands, and about how many of these it has in all. */
export interface Slice<Item> {
  readonly items: readonly Item[]
  readonly estimate: number
}

/** Less than this is worth a sample in which busy times are too few. */
const FEW = 300

/** At most `most` of the items, at even distances. */
export const spread = <Item>(items: readonly Item[], most: number): readonly Item[] => {
  if (items.length <= most) return items
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)] as Item)
}

/** At most `most` of all: of each slice in proportion to how many it has, so that busy times weigh more. */
export const thinned = <Item>(slices: readonly Slice<Item>[], most: number): readonly Item[] => {
  const total = slices.reduce((sum, { estimate }) => sum + estimate, 0)
  const wanted = Math.min(1, most / total)
  const possible = Math.min(...slices.map(({ items, estimate }) => items.length / estimate))
  const share = Math.min(wanted, Math.max(possible, FEW / total))
  return slices.flatMap(({ items, estimate }, i) => spread(items, Math.min(items.length, wholeOf(estimate * share, i))))
}

/** Rounded up or down in turn, so that parts of less than one are not all lost. */
const wholeOf = (quantity: number, i: number): number => {
  const turn = (i * 0.618_033_988_75) % 1
  return Math.floor(quantity + turn)
}
