import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quantile } from '../../../src/application/watching/quantile.ts'

const slotOf = (ms: number): number => (ms < 1 ? 1 : 2 + Math.floor(4 * Math.log2(ms) + 1e-9))

test('O8: p50 and p95 of counted times are within a quarter of the exact ones, however they are spread over buckets', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 2, max: 100_000_000 }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.95),
      (times, share) => {
        const counts = new Map<number, number>()
        for (const ms of times) counts.set(slotOf(ms), (counts.get(slotOf(ms)) ?? 0) + 1)
        const slots = [...counts].map(([slot, count]) => ({ slot, count })).sort((a, b) => a.slot - b.slot)
        const exact = times.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * times.length) - 1)] as number
        const found = quantile(slots, share) as number
        expect(found).toBeGreaterThan(exact / 1.25)
        expect(found).toBeLessThan(exact * 1.25)
      },
    ),
  )
  expect(quantile([], 0.5)).toBeNull()
})
