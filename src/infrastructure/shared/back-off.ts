const SHORTEST_MS = 100
const LONGEST_MS = 2_000

/** Waits that double from 100 ms up to 2 s, until `reset`. */
export const createBackOff = () => {
  let wait = SHORTEST_MS
  return {
    next: (): number => {
      const now = wait
      wait = Math.min(wait * 2, LONGEST_MS)
      return now
    },
    reset: (): void => {
      wait = SHORTEST_MS
    },
  }
}
