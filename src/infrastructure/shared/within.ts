import { setTimeout as delay } from 'node:timers/promises'

/** Whether the work ended in time. Work that did not goes on, and its later failure is ignored. */
export const endsWithin = async (ms: number, work: () => Promise<unknown>): Promise<boolean> => {
  const over = new AbortController()
  const late = delay(ms, false, { signal: over.signal })
  late.catch(() => {})
  const done = work().then(() => true)
  done.catch(() => {})
  try {
    return await Promise.race([done, late])
  } finally {
    over.abort()
  }
}

/** The answer of the work. @throws Error after `ms` */
export const answerWithin = async <A>(ms: number, work: () => Promise<A>): Promise<A> => {
  let answer: { readonly value: A } | null = null
  const ended = await endsWithin(ms, async () => {
    answer = { value: await work() }
  })
  if (!ended || answer === null) throw new Error(`there was no answer within ${ms} ms`)
  return (answer as { readonly value: A }).value
}
