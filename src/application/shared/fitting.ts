import { MAX_STATEMENT_BYTES } from './json-size.ts'

/** The limits of one statement. */
export interface Room<Item> {
  readonly most: number
  /** About how many bytes the statement needs for an item. */
  readonly sizeOf: (item: Item) => number
  /** Default: MAX_STATEMENT_BYTES. */
  readonly maxBytes?: number
}

/** How many items from index `from` fit into one statement; at least one, of any size. */
export const fittingCount = <Item>(
  items: readonly Item[],
  { most, sizeOf, maxBytes = MAX_STATEMENT_BYTES }: Room<Item>,
  from = 0,
): number => {
  const end = Math.min(items.length, from + most)
  let bytes = 0
  for (let i = from; i < end; i++) {
    bytes += sizeOf(items[i] as Item)
    if (bytes > maxBytes && i > from) return i - from
  }
  return end - from
}

/** All items in order, in lists that each fit into one statement. */
export const cutToFit = <Item>(items: readonly Item[], room: Room<Item>): readonly (readonly Item[])[] => {
  const lists: (readonly Item[])[] = []
  for (let from = 0; from < items.length; ) {
    const count = fittingCount(items, room, from)
    lists.push(items.slice(from, from + count))
    from += count
  }
  return lists
}
