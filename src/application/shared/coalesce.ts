import { type AsideOptions, createAside, type Waiting } from './aside.ts'
import { cutToFit, fittingCount, type Room } from './fitting.ts'

export interface CoalesceOptions<Item, Result> {
  /** What goes into one run. */
  readonly room: Room<Item>
  /** Runs at the same time at the most; further items wait and are gathered meanwhile. */
  readonly maxRuns: number
  /** Items that must wait before one more run begins beside those under way. Default 1. */
  readonly worthARun?: number
  /** Results in the order of the items; null for one that somebody else holds, which waits aside. */
  readonly run: (items: readonly Item[]) => Promise<readonly (Result | null)[]>
  /** Whether a failure is of everybody (the database is away) rather than of one item. */
  readonly isShared: (error: unknown) => boolean
  readonly aside: AsideOptions<Item>
}

/**
 * Lets independent callers share one statement: alone, a call runs at once; while runs are under way, callers gather
 * and go together. When a shared run fails because of one item, each item runs again by itself, so that nobody fails
 * for a neighbour; `run` must therefore be all or nothing, but for items that are held: those do not keep the others.
 */
export const coalesce = <Item, Result extends object | string>(options: CoalesceOptions<Item, Result>) => {
  const { room, maxRuns, worthARun = 1, run, isShared } = options
  const waiting: Waiting<Item, Result>[] = []
  const waitingRoom: Room<Waiting<Item, Result>> = { ...room, sizeOf: ({ item }) => room.sizeOf(item) }
  let runs = 0
  let scheduled = false

  /** Gives those that are held. */
  const runOne = async (batch: readonly Waiting<Item, Result>[]): Promise<readonly Waiting<Item, Result>[]> => {
    const held: Waiting<Item, Result>[] = []
    try {
      const results = await run(batch.map(({ item }) => item))
      batch.forEach((one, i) => {
        const result = results[i] ?? null
        if (result === null) held.push(one)
        else one.resolve(result)
      })
    } catch (error) {
      if (batch.length === 1 || isShared(error)) {
        for (const { reject } of batch) reject(error)
      } else {
        for (const one of batch) held.push(...(await runOne([one])))
      }
    }
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

  return (item: Item): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (aside.holds(item)) return aside.put({ item, resolve, reject })
      waiting.push({ item, resolve, reject })
      // callers of the same tick go together
      if (!scheduled && mayRun()) {
        scheduled = true
        queueMicrotask(start)
      }
    })
}
