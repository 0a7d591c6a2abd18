import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  defaultRetryPolicy,
  MAX_WAIT_SECONDS,
  policyFaults,
  waitAfter,
} from '../../../src/domain/command/retry-policy.ts'
import { policy } from '../../support/lives/command-life.ts'

describe('the wait after a failed attempt', () => {
  test('A19: is 10, 60, then 300 s by default, and the last one repeats', () => {
    expect([1, 2, 3, 4, 5, 99].map(attempt => waitAfter(defaultRetryPolicy, attempt, 0.9) / 1000)).toEqual([
      10, 60, 300, 300, 300, 300,
    ])
  })

  test('may be a fraction of a second, rounded to milliseconds', () => {
    expect(waitAfter(policy({ backoffSeconds: [0.1, 0.2345] }), 1, 0)).toBe(100)
    expect(waitAfter(policy({ backoffSeconds: [0.1, 0.2345] }), 2, 0)).toBe(235)
  })

  test('may be none at all', () => {
    expect(waitAfter(policy({ backoffSeconds: [0], jitter: 1 }), 1, 0.99)).toBe(0)
  })

  test('lies between the configured wait and that plus the jitter, and grows with the random number', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: MAX_WAIT_SECONDS, noNaN: true }), { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 120 }),
        fc.tuple(...[0, 0].map(() => fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))),
        (backoffSeconds, jitter, attempt, draws) => {
          const [low, high] = draws.toSorted((a, b) => a - b) as [number, number]
          const of = policy({ backoffSeconds, jitter })
          const base = (backoffSeconds[attempt - 1] ?? (backoffSeconds.at(-1) as number)) * 1000
          const wait = waitAfter(of, attempt, low)
          expect(Number.isSafeInteger(wait)).toBe(true)
          expect(wait).toBeGreaterThanOrEqual(Math.round(base))
          expect(wait).toBeLessThanOrEqual(Math.round(base * (1 + jitter)))
          expect(waitAfter(of, attempt, high)).toBeGreaterThanOrEqual(wait)
          expect(waitAfter(policy({ backoffSeconds }), attempt, high)).toBe(Math.round(base))
        },
      ),
    )
  })
})

describe('a policy', () => {
  test('A20: has 3 attempts and then parks, by default', () => {
    expect(defaultRetryPolicy).toEqual({
      maxAttempts: 3,
      backoffSeconds: [10, 60, 300],
      jitter: 0,
      onExhausted: 'park',
    })
    expect(policyFaults(defaultRetryPolicy)).toEqual([])
  })

  test.each([
    policy({ maxAttempts: 1 }),
    policy({ maxAttempts: 100 }),
    policy({ backoffSeconds: [0] }),
    policy({ backoffSeconds: [MAX_WAIT_SECONDS] }),
    policy({ jitter: 1, onExhausted: 'fail' }),
  ])('at its limits is valid: %o', fine => {
    expect(policyFaults(fine)).toEqual([])
  })

  test.each([
    [{ maxAttempts: 0 }, 'maxAttempts must be a whole number from 1 to 100, not 0'],
    [{ maxAttempts: 101 }, 'maxAttempts must be a whole number from 1 to 100, not 101'],
    [{ maxAttempts: 1.5 }, 'maxAttempts must be a whole number from 1 to 100, not 1.5'],
    [{ maxAttempts: Number.NaN }, 'maxAttempts must be a whole number from 1 to 100, not NaN'],
    [{ backoffSeconds: [] }, 'backoffSeconds must name at least one wait'],
    [{ backoffSeconds: [1, -1] }, 'backoffSeconds must be waits from 0 to 2592000 seconds, not [1, -1]'],
    [{ backoffSeconds: [2_592_001] }, 'backoffSeconds must be waits from 0 to 2592000 seconds, not [2592001]'],
    [{ backoffSeconds: [Number.NaN] }, 'backoffSeconds must be waits from 0 to 2592000 seconds, not [NaN]'],
    [{ jitter: -0.1 }, 'jitter must be from 0 to 1, not -0.1'],
    [{ jitter: 1.1 }, 'jitter must be from 0 to 1, not 1.1'],
    [{ jitter: Number.NaN }, 'jitter must be from 0 to 1, not NaN'],
  ])('that is invalid is refused in one sentence: %o', (over, fault) => {
    expect(policyFaults(policy(over))).toEqual([fault])
  })

  test('with several faults is refused with all of them', () => {
    expect(policyFaults(policy({ maxAttempts: 0, backoffSeconds: [], jitter: 2 }))).toHaveLength(3)
  })

  test.each([{ onExhausted: 'retry' }, { onExhausted: null }, { jitter: '0.5' }, { backoffSeconds: '10' }])(
    'that breaks the types is refused, too: %o',
    over => {
      expect(policyFaults({ ...defaultRetryPolicy, ...over } as never)).toHaveLength(1)
    },
  )
})
