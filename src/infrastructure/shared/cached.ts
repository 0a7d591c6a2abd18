/**
 * Shares one answer: callers wait for work that is running, and later ones get the last answer for `ms` (or for a time that
 * `ms` computes from how long the work took). A failure is not cached.
 */
export const cachedFor = <A>(ms: number | ((tookMs: number) => number), work: () => Promise<A>): (() => Promise<A>) => {
  let running: Promise<A> | null = null
  let last: { readonly answer: A; readonly until: number } | null = null
  const run = async (): Promise<A> => {
    const began = performance.now()
    try {
      const answer = await work()
      const ended = performance.now()
      last = { answer, until: ended + (typeof ms === 'number' ? ms : ms(ended - began)) }
      return answer
    } finally {
      running = null
    }
  }
  return () => {
    if (last !== null && performance.now() < last.until) return Promise.resolve(last.answer)
    running ??= run()
    return running
  }
}
