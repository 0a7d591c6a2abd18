import { setTimeout as delay } from 'node:timers/promises'
import { isAway, toStoreError } from './errors.ts'

const SHORTEST_MS = 20
const LONGEST_MS = 1_000

/** Runs an idempotent piece of work again while EventStoreDB is away, for about `retryMs`; then throws a store error. */
export const retryWhileAway = async <A>(retryMs: number, work: () => Promise<A>): Promise<A> => {
  const end = performance.now() + retryMs
  for (let wait = SHORTEST_MS; ; wait = Math.min(wait * 2, LONGEST_MS)) {
    try {
      return await work()
    } catch (error) {
      if (!isAway(error) || performance.now() + wait > end) throw toStoreError(error)
      await delay(wait)
    }
  }
}

/** Runs `work` for every item, `atOnce` at a time; results are in the order of the items. */
export const eachOf = async <Item, A>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<A>,
): Promise<A[]> => {
  const results = new Array<A>(items.length)
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++
      results[i] = await work(items[i] as Item)
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane))
  for (const one of lanes) if (one.status === 'rejected') throw one.reason
  return results
}
