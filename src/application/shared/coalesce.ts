import { type AsideOptions, createAside, type Waiting } from './aside.ts'
import { cutToFit, fittingCount, type Room } from './fitting.ts'

export interface CoalesceOptions<Item, Result> {
  /** The limits of one run. */
  readonly room: Room<Item>
  /** The most runs at the same time; further items are gathered meanwhile. */
  readonly maxRuns: number
  /** How many items must wait before a further run begins beside the present ones. Default 1. */
  readonly worthARun?: number
  /** Begins the runs of the calls that have come until then. Default: at the end of the present task. */
  readonly soon?: (start: () => void) => unknown
  /** Results in the order of the items; null for an item that another transaction has locked, which waits aside. */
  readonly run: (items: readonly Item[]) => Promise<readonly (Result | null)[]>
  /** Whether a failure concerns all items (the database is away), not one. */
  readonly isShared: (error: unknown) => boolean
  readonly aside: AsideOptions<Item>
}

/** As `gather`, for callers that wait for a promise. */
export const coalesce = <Item, Result extends object | string>(
  options: CoalesceOptions<Item, Result>,
): ((item: Item) => Promise<Result>) => {
  const put = gather(options)
  return item => new Promise((resolve, reject) => put({ item, resolve, reject }))
}

/**
 * Lets independent callers share one statement. A single call runs at once; while runs are busy, further calls gather and
 * run together. When a shared run fails because of one item, each item runs again by itself, so that only the faulty item
 * fails. `run` must therefore be all or nothing, except for locked items, which do not stop the others.
 */
export const gather = <Item, Result extends object | string>(
  options: CoalesceOptions<Item, Result>,
): ((one: Waiting<Item, Result>) => void) => {
  const { room, maxRuns, worthARun = 1, soon = queueMicrotask, run, isShared } = options
  const waiting: Waiting<Item, Result>[] = []
  const waitingRoom: Room<Waiting<Item, Result>> = { ...room, sizeOf: ({ item }) => room.sizeOf(item) }
  let runs = 0
  let scheduled = false

  /** Returns the items that are locked. */
  const runOne = async (batch: readonly Waiting<Item, Result>[]): Promise<readonly Waiting<Item, Result>[]> => {
    let results: readonly (Result | null)[]
    try {
      results = await run(batch.map(({ item }) => item))
    } catch (error) {
      if (batch.length > 1 && !isShared(error)) return runEach(batch)
      for (const one of batch) one.reject(error)
      return []
    }
    return batch.filter((one, i) => {
      const result = results[i] ?? null
      if (result !== null) one.resolve(result)
      return result === null
    })
  }

  const runEach = async (batch: readonly Waiting<Item, Result>[]): Promise<readonly Waiting<Item, Result>[]> => {
    const held: Waiting<Item, Result>[] = []
    for (const one of batch) held.push(...(await runOne([one])))
    return held
  }

  const aside = createAside<Item, Result>(options.aside, async all => {
    const held: Waiting<Item, Result>[] = []
    for (const batch of cutToFit(all, waitingRoom)) held.push(...(await runOne(batch)))
    return held
  })

  const runShared = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    for (const one of await runOne(batch)) aside.put(one)
  }

  const mayRun = (): boolean => runs < maxRuns && waiting.length >= (runs === 0 ? 1 : worthARun)

  const start = (): void => {
    scheduled = false
    while (mayRun()) {
      runs++
      void runShared(waiting.splice(0, fittingCount(waiting, waitingRoom))).finally(() => {
        runs--
        start()
      })
    }
  }

  return one => {
    if (aside.holds(one.item)) return aside.put(one)
    waiting.push(one)
    // calls of the same task run together
    if (!scheduled && mayRun()) {
      scheduled = true
      soon(start)
    }
  }
}
