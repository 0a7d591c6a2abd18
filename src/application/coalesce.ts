import { fittingCount, type Room } from './fitting.ts'

export interface CoalesceOptions<Item, Result> {
  /** What goes into one run. */
  readonly room: Room<Item>
  /** Runs at the same time at the most; further items wait and are gathered meanwhile. */
  readonly maxRuns: number
  /** Items that must wait before one more run begins beside those under way. Default 1. */
  readonly worthARun?: number
  /** Results in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>
  /** Whether a failure is of everybody (the database is away) rather than of one item. */
  readonly isShared: (error: unknown) => boolean
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets independent callers share one statement: alone, a call runs at once; while runs are under way, callers gather
 * and go together. When a shared run fails because of one item, each item runs again by itself, so that nobody fails
 * for a neighbour; `run` must therefore be all or nothing.
 */
export const coalesce = <Item, Result>(options: CoalesceOptions<Item, Result>) => {
  const { room, maxRuns, worthARun = 1, run, isShared } = options
  const waiting: Waiting<Item, Result>[] = []
  const waitingRoom: Room<Waiting<Item, Result>> = { ...room, sizeOf: ({ item }) => room.sizeOf(item) }
  let runs = 0
  let scheduled = false

  const runOne = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await run(batch.map(({ item }) => item))
      batch.forEach(({ resolve }, i) => {
        resolve(results[i] as Result)
      })
    } catch (error) {
      if (batch.length === 1 || isShared(error)) {
        for (const { reject } of batch) reject(error)
      } else {
        for (const one of batch) await runOne([one])
      }
    }
  }

  const mayRun = (): boolean => runs < maxRuns && waiting.length >= (runs === 0 ? 1 : worthARun)

  const start = (): void => {
    scheduled = false
    while (mayRun()) {
      runs++
      void runOne(waiting.splice(0, fittingCount(waiting, waitingRoom))).finally(() => {
        runs--
        start()
      })
    }
  }

  return (item: Item): Promise<Result> =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      // callers of the same tick go together
      if (!scheduled && mayRun()) {
        scheduled = true
        queueMicrotask(start)
      }
    })
}
