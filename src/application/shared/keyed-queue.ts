/** Runs the work of one key one after the other, in this process; other keys do not wait. */
export const createKeyedQueue = () => {
  const tails = new Map<string, Promise<unknown>>()
  return <A>(key: string, work: () => Promise<A>): Promise<A> => {
    const run = (tails.get(key) ?? Promise.resolve()).then(work, work)
    const tail = run.catch(() => {})
    tails.set(key, tail)
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key)
    })
    return run
  }
}
