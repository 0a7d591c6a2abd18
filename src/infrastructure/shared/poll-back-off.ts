const SHORTEST_MS = 200
const LONGEST_MS = 5_000

/**
 * When to poll each of several things again: 200 ms after the first poll, then twice as long each time while nothing has
 * changed, up to 5 s. So a caller waits at most about twice as long as the thing takes, and a thing that never changes costs
 * next to nothing.
 */
export const createPollBackOff = (now: () => number = () => performance.now()) => {
  const waits = new Map<string, { readonly wait: number; readonly due: number }>()
  return {
    isDue: (id: string): boolean => (waits.get(id)?.due ?? 0) <= now(),
    slowDown: (id: string): void => {
      const wait = Math.min((waits.get(id)?.wait ?? SHORTEST_MS / 2) * 2, LONGEST_MS)
      waits.set(id, { wait, due: now() + wait })
    },
    /** Not before so many milliseconds have passed. */
    after: (id: string, ms: number): void =>
      void waits.set(id, { wait: SHORTEST_MS / 2, due: now() + Math.min(ms, LONGEST_MS) }),
    reset: (id: string): void => void waits.delete(id),
    forgetOthers: (ids: ReadonlySet<string>): void => {
      for (const id of waits.keys()) if (!ids.has(id)) waits.delete(id)
    },
    /** Milliseconds until the next one is due; null: there is none. */
    nextIn: (): number | null =>
      waits.size === 0 ? null : Math.max(0, Math.min(...[...waits.values()].map(({ due }) => due)) - now()),
  }
}
