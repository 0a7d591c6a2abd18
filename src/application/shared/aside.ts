export interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export interface AsideOptions<Item> {
  /** What an item is held by: while one of a key waits, others of that key do not hold up anybody either. */
  readonly keyOf: (item: Item) => string
  /** How long an item waits, and what its caller is told then. */
  readonly patienceMs: number
  readonly onHeld: (item: Item) => Error
}

const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 500

/**
 * Where items wait for what somebody else holds. They are tried again now and then, all together, and in between take up
 * no connection, however many they are.
 *
 * @param attempt tries them, and gives those that are still held; what became of the others it tells them itself
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
