import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idsOf, some, write } from '../../../src/testing/ports/contract-kit.ts'
import { openNotedStore } from '../../support/noted.ts'

/** One transaction of a writer: what it appends, how long it stays open, how it ends. */
interface Step {
  readonly appends: readonly { readonly stream: number; readonly events: number }[]
  readonly openMs: number
  readonly end: 'commit' | 'rollback'
}

const step: fc.Arbitrary<Step> = fc.record({
  appends: fc.uniqueArray(fc.record({ stream: fc.nat(30), events: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 1,
    maxLength: 4,
    selector: ({ stream }) => stream,
  }),
  openMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 15 }) }),
  end: fc.constantFrom('commit', 'commit', 'commit', 'rollback'),
})
const writers = fc.array(fc.array(step, { minLength: 60, maxLength: 60 }), { minLength: 8, maxLength: 8 })

test('the feed loses no event and keeps its order under 8 writers who commit at any time', async () => {
  const property = fc.asyncProperty(writers, fc.integer({ min: 5, max: 120 }), async (plans, limit) => {
    const { store, feed, begin, database, close } = await openNotedStore()
    const expected = new Set<string>()
    let writing = plans.length
    let readsMeanwhile = 0

    const writer = async (steps: readonly Step[]) => {
      for (const { appends, openMs, end } of steps) {
        const transaction = await begin()
        const asked = appends.map(({ stream, events }) => write(`note-${stream}`, 'any', some(events)))
        const results = await store.append(asked, { within: transaction.within })
        if (openMs > 0) await delay(openMs)
        await transaction[end]()
        asked.forEach(({ events }, i) => {
          if (end === 'commit' && results[i]?.outcome === 'appended') for (const id of idsOf(events)) expected.add(id)
        })
      }
      writing--
    }

    const seen: { readonly id: string; readonly stream: string; readonly revision: number }[] = []
    const reader = async () => {
      let after: string | null = null
      while (writing > 0 || seen.length < expected.size) {
        const page: Awaited<ReturnType<typeof feed.read>> = await feed.read(after, limit)
        after = page.at(-1)?.position ?? after
        seen.push(...page)
        if (writing > 0 && page.length > 0) readsMeanwhile++
      }
    }

    await Promise.all([reader(), ...plans.map(writer)])
    const { rows } = await database.pool.query('select id from command_bus_event e order by e.xid, e.position')
    expect(idsOf(seen)).toEqual(idsOf(rows))
    expect(new Set(idsOf(seen))).toEqual(expected)
    const next = new Map<string, number>()
    for (const { stream, revision } of seen) {
      expect(revision).toBe(next.get(stream) ?? 0)
      next.set(stream, revision + 1)
    }
    expect(readsMeanwhile).toBeGreaterThan(5)
    await close()
  })
  await fc.assert(property, { numRuns: 3, endOnFailure: true })
})
