/** Ends the parts of a bus in stages: first the parts that need the others. Further calls return the same promise. */
export const createShutdown = (stages: readonly (readonly (() => unknown)[])[]): (() => Promise<void>) => {
  let closed: Promise<void> | null = null
  const shutDown = async (): Promise<void> => {
    for (const parts of stages) await Promise.all(parts.map(end => end()))
  }
  return () => {
    closed ??= shutDown()
    return closed
  }
}
