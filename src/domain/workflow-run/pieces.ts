/**
 * Characters of JSON that a list in an event of a run may have. EventStoreDB takes 1 MiB in one append by default, and a
 * character has up to three bytes.
 */
export const LARGEST_LIST = 256 * 1024

/** The first items, as many as fit one event; at least one. */
export const fitting = <Item>(items: readonly Item[]): readonly Item[] => {
  let characters = 0
  const end = items.findIndex((item, i) => {
    characters += JSON.stringify(item).length + 1
    return i > 0 && characters > LARGEST_LIST
  })
  return end < 0 ? items : items.slice(0, end)
}

/** All items, in lists that each fit one event. */
export const piecesOf = <Item>(items: readonly Item[]): readonly (readonly Item[])[] => {
  const pieces: (readonly Item[])[] = []
  for (let rest = items; rest.length > 0; ) {
    const piece = fitting(rest)
    pieces.push(piece)
    rest = rest.slice(piece.length)
  }
  return pieces
}
