import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Deadline } from '../../../src/infrastructure/worker/attempt/deadline.ts'
import { RECEIPT_AFTER_MS, type Run } from '../../../src/infrastructure/worker/attempt/run.ts'
import { watchShortRuns } from '../../../src/infrastructure/worker/attempt/short-runs.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A worker's handlers: each is told, once, that it runs longer than most. */
const setUp = () => {
  const handling = new Set<Run>()
  const told: string[] = []
  const { added } = watchShortRuns(handling)
  const begin = (name: string, isShort = true): Run => {
    let short = isShort
    const tookLong = (): void => {
      short = false
      told.push(`${name} at ${performance.now() - zero}`)
    }
    const run = { began: performance.now(), isShort: () => short, tookLong } as Run
    handling.add(run)
    added()
    return run
  }
  const zero = performance.now()
  return { handling, told, begin }
}

test('R6: each run that lasts is told once, at its own time, by one timer', () => {
  const { told, begin } = setUp()
  begin('a')
  vi.advanceTimersByTime(10)
  begin('b')
  begin('c')
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(1_000)
  expect(told).toEqual(['a at 25', 'b at 35', 'c at 35'])
  expect(vi.getTimerCount()).toBe(0)
  begin('d')
  vi.advanceTimersByTime(RECEIPT_AFTER_MS)
  expect(told.at(-1)).toBe('d at 1035')
})

test('R6: a run that has ended, or needs no receipt, is told nothing', () => {
  const { handling, told, begin } = setUp()
  const quick = begin('quick')
  begin('abandoned', false)
  vi.advanceTimersByTime(20)
  handling.delete(quick)
  begin('slow')
  vi.advanceTimersByTime(1_000)
  expect(told).toEqual(['slow at 45'])
})

test('R6: a deadline that is watched only after its handler has ended starts no timer', async () => {
  const deadline = new Deadline(60_000, RECEIPT_AFTER_MS, () => expect.unreachable())
  await new Promise((returned, threw) => deadline.run(() => 'done', { returned, threw }))
  deadline.watch()
  expect(vi.getTimerCount()).toBe(0)
})
