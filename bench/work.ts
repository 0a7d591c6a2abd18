/** The kinds of work that are measured, by the names of the report. */
export const works = ['send-10', 'send-100', 'send-bulk', 'work-10', 'work-50'] as const
export type Work = (typeof works)[number]

/** Does a work once and says how many commands a second that were. */
export type Measure = (commands: number) => Promise<number>

type Measures = Readonly<Record<Work, Measure>>

/** What is compared: each contender does every work. */
export type Contender<Done extends Partial<Measures> = Measures> = {
  readonly variant: string
  readonly measure: Done
  readonly close: () => Promise<void>
}

/** One that leaves works out. */
export type PartialContender = Contender<Partial<Measures>>

/** A command of about 100 bytes. */
export const payload = (index: number) => ({
  account: 'DE-0000-4711',
  amount: index,
  currency: 'EUR',
  note: 'the quick brown fox jumps over it',
})

export const batchSize = 1000

/** The numbers 0 to `count` - 1, cut into batches. */
export const batches = (count: number): readonly (readonly number[])[] =>
  Array.from({ length: Math.ceil(count / batchSize) }, (_, batch) =>
    Array.from({ length: Math.min(batchSize, count - batch * batchSize) }, (_, index) => batch * batchSize + index),
  )

/** Calls `task` for the numbers 0 to `count` - 1, `width` at once. */
export const atOnce = async (width: number, count: number, task: (index: number, lane: number) => Promise<unknown>) => {
  let next = 0
  const lane = async (_: unknown, number: number) => {
    while (next < count) await task(next++, number)
  }
  await Promise.all(Array.from({ length: width }, lane))
}

/** How many of `count` a second `task` managed. */
export const perSecond = async (count: number, task: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await task()
  return count / ((performance.now() - start) / 1000)
}

export const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
