export interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export interface AsideOptions<Item> {
  /** What the item waits for. While an item of a key waits, further items of that key wait too, and delay no others. */
  readonly keyOf: (item: Item) => string
  /** How long an item waits; then it fails with the error of `onHeld`. */
  readonly patienceMs: number
  readonly onHeld: (item: Item) => Error
}

const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 500

/**
 * A place for items that wait for a lock of another transaction. They are tried again together from time to time, and use
 * no connection in between.
 *
 * @param attempt tries the items, settles those that are done, and returns those that are still locked
 */
export const createAside = <Item, Result>(
  { keyOf, patienceMs, onHeld }: AsideOptions<Item>,
  attempt: (waiting: readonly Waiting<Item, Result>[]) => Promise<readonly Waiting<Item, Result>[]>,
) => {
  const since = new Map<Waiting<Item, Result>, number>()
  const keys = new Map<string, number>()
  let trying = false

  const count = (one: Waiting<Item, Result>, by: number): void => {
    const key = keyOf(one.item)
    const left = (keys.get(key) ?? 0) + by
    if (left > 0) keys.set(key, left)
    else keys.delete(key)
  }
  const leave = (one: Waiting<Item, Result>): void => {
    if (since.delete(one)) count(one, -1)
  }

  const tryNow = async (): Promise<boolean> => {
    const all = [...since.keys()]
    const held = await attempt(all)
    const stays = new Set(held)
    for (const one of all) if (!stays.has(one)) leave(one)
    for (const one of held) {
      if (performance.now() - (since.get(one) ?? 0) < patienceMs) continue
      leave(one)
      one.reject(onHeld(one.item))
    }
    return held.length < all.length
  }

  const goOn = async (): Promise<void> => {
    trying = true
    for (let wait = FIRST_WAIT_MS; since.size > 0; ) {
      await pause(wait)
      wait = (await tryNow()) ? FIRST_WAIT_MS : Math.min(wait * 2, LONGEST_WAIT_MS)
    }
    trying = false
  }

  return {
    holds: (item: Item): boolean => keys.size > 0 && keys.has(keyOf(item)),
    put: (one: Waiting<Item, Result>): void => {
      since.set(one, performance.now())
      count(one, 1)
      if (!trying) void goOn()
    },
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
