const SHORTEST_MS = 200
const LONGEST_MS = 5_000

/**
 * When to look again at each of several things that move by themselves: 200 ms after the first look, then twice as long each
 * time while nothing moves, 5 s at the most. So nobody waits longer than twice for what takes its time, and what never
 * moves costs next to nothing.
 */
export const createLooks = (now: () => number = () => performance.now()) => {
  const waits = new Map<string, { readonly wait: number; readonly due: number }>()
  return {
    isDue: (id: string): boolean => (waits.get(id)?.due ?? 0) <= now(),
    stoodStill: (id: string): void => {
      const wait = Math.min((waits.get(id)?.wait ?? SHORTEST_MS / 2) * 2, LONGEST_MS)
      waits.set(id, { wait, due: now() + wait })
    },
    moved: (id: string): void => void waits.delete(id),
    /** Forgets all others. */
    keep: (ids: ReadonlySet<string>): void => {
      for (const id of waits.keys()) if (!ids.has(id)) waits.delete(id)
    },
    /** Milliseconds until the next one is due; null: there is none. */
    nextIn: (): number | null =>
      waits.size === 0 ? null : Math.max(0, Math.min(...[...waits.values()].map(({ due }) => due)) - now()),
  }
}
