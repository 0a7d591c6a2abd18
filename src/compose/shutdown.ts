/** Ends the parts of a bus in stages, those first that need the others. Asked again it gives the same end. */
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
