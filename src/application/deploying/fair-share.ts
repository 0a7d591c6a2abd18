/**
 * How many of each to take, so that there are at most `most` in all: as evenly as possible, so that a rare kind is not lost
 * among those of a busy one. With fewer places than kinds the first ones get them.
 */
export const fairShares = (counts: readonly number[], most: number): readonly number[] => {
  const shares = counts.map(() => 0)
  let left = most
  let open = counts.flatMap((count, i) => (count > 0 ? [i] : []))
  while (left > 0 && open.length > 0) {
    const each = Math.max(1, Math.floor(left / open.length))
    for (const i of open) {
      const more = Math.min(each, left, (counts[i] ?? 0) - (shares[i] ?? 0))
      shares[i] = (shares[i] ?? 0) + more
      left -= more
    }
    open = open.filter(i => (shares[i] ?? 0) < (counts[i] ?? 0))
  }
  return shares
}
