import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBackOff } from '../../../src/infrastructure/shared/back-off.ts'
import { createWakeUp } from '../../../src/infrastructure/shared/wake-up.ts'
import { answerWithin, endsWithin } from '../../../src/infrastructure/shared/within.ts'
import { createPrefetch } from '../../../src/infrastructure/worker/prefetch.ts'
import { watchStalls } from '../../../src/infrastructure/worker/stalls.ts'

test('the waits between failed tries double from 100 ms to 2 s, and start again after a success', () => {
  const { next, reset } = createBackOff()
  expect(Array.from({ length: 7 }, next)).toEqual([100, 200, 400, 800, 1600, 2000, 2000])
  reset()
  expect([next(), next()]).toEqual([100, 200])
})

describe('how far a worker reads ahead', () => {
  test.each([
    ['nothing before a handler has ended', [], 0],
    ['nothing with slow handlers', [201], 0],
    ['what the slots finish within 20 ms', [100], 2],
    ['no more than 200 messages, however quick the handlers are', [0], 200],
    ['by what handlers took lately: one that was slow counts a twentieth', [1, 101], 33],
  ])('%s', (_, took, ahead) => {
    const prefetch = createPrefetch(10)
    for (const ms of took) prefetch.observe(ms)
    expect(prefetch.ahead()).toBe(ahead)
  })
})

describe('with a clock of its own', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  /** Whether it has ended by now. */
  const watch = (waiting: Promise<unknown>) => {
    const state = { ended: false }
    void waiting.then(() => {
      state.ended = true
    })
    return state
  }

  describe('a wait', () => {
    test('ends at the next wake, or after its time', async () => {
      const bell = createWakeUp()
      const first = watch(bell.wait(1000))
      await vi.advanceTimersByTimeAsync(999)
      expect(first.ended).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      expect(first.ended).toBe(true)
      const timers = vi.getTimerCount()
      const second = watch(bell.wait(1000))
      bell.wake()
      await vi.advanceTimersByTimeAsync(0)
      expect(second.ended).toBe(true)
      expect(vi.getTimerCount()).toBe(timers)
    })

    test('ends at once after an earlier wake; several earlier wakes count as one', async () => {
      const bell = createWakeUp()
      bell.wake()
      bell.wake()
      await bell.wait(1000)
      const next = watch(bell.wait(1000))
      await vi.advanceTimersByTimeAsync(500)
      expect(next.ended).toBe(false)
    })

    test('may be longer than the longest timer', async () => {
      const waiting = watch(createWakeUp().wait(Number.POSITIVE_INFINITY))
      await vi.advanceTimersByTimeAsync(100_000)
      expect(waiting.ended).toBe(false)
    })
  })

  test('an event loop that was blocked for a second is noticed by a late timer, with what runs and how long it took', () => {
    const seen: unknown[] = []
    const stalls = watchStalls<string>({
      running: () => ['running'],
      onStall: (ms, suspects) => seen.push([ms, suspects]),
    })
    const now = vi.spyOn(performance, 'now')
    const lookAt = (ms: number) => {
      now.mockReturnValue(ms)
      vi.advanceTimersToNextTimer()
    }
    const timers = vi.getTimerCount()
    now.mockReturnValue(10_000)
    stalls.start()
    lookAt(10_500)
    stalls.ended('before', 1_000)
    lookAt(11_999)
    expect(seen).toEqual([])
    stalls.ended('short', 999)
    stalls.ended('long', 1_000)
    lookAt(13_499)
    expect(seen).toEqual([[1_000, ['long', 'running']]])
    lookAt(15_500)
    expect(seen[1]).toEqual([1_501, ['running']])
    stalls.stop()
    expect(vi.getTimerCount()).toBe(timers)
  })
})

describe('work with a time limit', () => {
  const fails = async (): Promise<never> => {
    throw new Error('no connection')
  }

  test('gives its result or its error', async () => {
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    expect(await endsWithin(60_000, async () => undefined)).toBe(true)
    // or a process could not end for a minute
    expect(timers()).toBe(before)
    await expect(endsWithin(60_000, fails)).rejects.toThrow('no connection')
    expect(await answerWithin(60_000, async () => undefined)).toBeUndefined()
    await expect(answerWithin(60_000, fails)).rejects.toThrow('no connection')
  })

  test('is reported as unfinished after its limit; a later failure is ignored', async () => {
    let fail: (error: Error) => void = () => {}
    const never = () =>
      new Promise<void>((_, reject) => {
        fail = reject
      })
    expect(await endsWithin(1, never)).toBe(false)
    fail(new Error('too late'))
    await expect(answerWithin(1, never)).rejects.toThrow('there was no answer within 1 ms')
    fail(new Error('too late'))
  })
})
