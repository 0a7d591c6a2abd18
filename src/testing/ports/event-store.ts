import type { ExpectedRevision, StreamAppend } from '../../application/ports/event-store.ts'
import {
  context,
  idsOf,
  type Noted,
  newStream,
  noted,
  type Opened,
  outcomes,
  some,
  streamOf,
  write,
} from './contract-kit.ts'
import { eventFeedContract } from './event-feed.ts'
import { readingContract } from './event-store-reading.ts'
import { repetitionContract } from './event-store-repetition.ts'
import type { Vitest } from './vitest.ts'

/**
 * Declares the tests that every adapter of the log and its feed must pass, with Vitest's functions. `open` is called once;
 * other tests may use its log, too.
 * @example
 * import { afterAll, beforeAll, describe, expect, test } from 'vitest'
 * eventStoreSuite({ afterAll, beforeAll, describe, expect, test }, openMyStore, { atomicAppend: true })
 */
export const eventStoreSuite = (
  vitest: Vitest,
  open: () => Promise<Opened>,
  has: { readonly atomicAppend: boolean },
): void => {
  const { afterAll, beforeAll, describe, expect, test } = vitest
  let adapter: Opened
  const opened = (): Opened => adapter
  const append = (appends: readonly StreamAppend<Noted>[]) => adapter.store.append(appends)
  const readStream = (stream: string, from = 0) => adapter.store.readStream(stream, from)
  beforeAll(async () => {
    adapter = await open()
  })
  afterAll(async () => adapter?.close())

  test('the capabilities are as announced', () => {
    expect(adapter.store.capabilities.atomicAppend).toBe(has.atomicAppend)
  })

  repetitionContract(vitest, opened, has)
  readingContract(vitest, opened)
  eventFeedContract(vitest, opened)

  describe('the expected revision', () => {
    const matrix: readonly (readonly [string, number, ExpectedRevision, 'appended' | 'conflict'])[] = [
      ['none, on a missing stream', 0, 'none', 'appended'],
      ['none, on a stream with one event', 1, 'none', 'conflict'],
      ['none, on a stream with three events', 3, 'none', 'conflict'],
      ['any, on a missing stream', 0, 'any', 'appended'],
      ['any, on a stream with three events', 3, 'any', 'appended'],
      ['a revision, on a missing stream', 0, 0, 'conflict'],
      ['a late revision, on a missing stream', 0, 7, 'conflict'],
      ['the revision of the last event', 3, 2, 'appended'],
      ['the revision of the only event', 1, 0, 'appended'],
      ['a revision behind the last event', 3, 1, 'conflict'],
      ['the first revision, behind the last event', 3, 0, 'conflict'],
      ['a revision just ahead of the last event', 3, 3, 'conflict'],
      ['a revision far ahead of the last event', 3, 9, 'conflict'],
    ]
    for (const count of [1, 2]) {
      for (const [name, there, expected, outcome] of matrix)
        test(`${name}: ${count} new`, async () => {
          const stream = await streamOf(adapter.store, there)
          const events = some(count)
          const result = await append([write(stream, expected, events)])
          expect(result).toEqual([
            outcome === 'appended'
              ? { outcome, stream, revision: there + count - 1, msgId: null }
              : { outcome: 'conflict', stream },
          ])
          const now = await readStream(stream)
          expect(now.map(({ revision }) => revision)).toEqual(now.map((_event, i) => i))
          expect(idsOf(now.slice(there))).toEqual(outcome === 'appended' ? idsOf(events) : [])
        })
    }
  })

  describe('an append', () => {
    test('without events is refused, and nothing of its call is appended', async () => {
      const [full, empty] = [newStream(), newStream()]
      await expect(append([write(full, 'none'), write(empty, 'any', [])])).rejects.toThrow(empty)
      expect(await readStream(full)).toEqual([])
    })

    test('that names a stream twice is refused', async () => {
      const stream = newStream()
      await expect(append([write(stream, 'none'), write(stream, 0)])).rejects.toThrow(/twice/)
      expect(await readStream(stream)).toEqual([])
    })

    test('of no streams does nothing', async () => {
      expect(await append([])).toEqual([])
    })

    test('of several events is all or nothing, also when another writer takes one of the revisions', async () => {
      const stream = await streamOf(adapter.store, 1)
      const rivals = [some(3), some(3), some(3), some(3)]
      const results = await Promise.all(rivals.map(events => append([write(stream, 0, events)])))
      const won = results.findIndex(([result]) => result?.outcome === 'appended')
      expect(outcomes(results.flat()).filter(outcome => outcome === 'appended')).toHaveLength(1)
      expect(idsOf((await readStream(stream)).slice(1))).toEqual(idsOf(rivals[won] ?? []))
    })

    test('of many streams gives the outcome of each, in the order of the call', async () => {
      const there = await Promise.all([0, 2, 0, 2, 1, 0].map(count => streamOf(adapter.store, count)))
      const [a, b, c, d, e, f] = there as [string, string, string, string, string, string]
      const results = await append([
        write(f, 'none', some(2)),
        write(b, 0),
        write(a, 'any'),
        write(e, 'none'),
        write(d, 1, some(3)),
        write(c, 4),
      ])
      expect(results.map(({ stream, outcome }) => [stream, outcome])).toEqual([
        [f, 'appended'],
        [b, 'conflict'],
        [a, 'appended'],
        [e, 'conflict'],
        [d, 'appended'],
        [c, 'conflict'],
      ])
      const lengths = await Promise.all([a, b, c, d, e, f].map(async stream => (await readStream(stream)).length))
      expect(lengths).toEqual([1, 2, 0, 5, 1, 2])
    })

    test('keeps any text, also a very long one, unchanged', async () => {
      const texts = [
        '',
        'žluťoučký 日本語 👩‍👩‍👧 \u{1F600} \u200F\u202E',
        '"\\\n\r\t\u0001$1 %s {}',
        'long '.repeat(200_000),
      ]
      const stream = newStream()
      const events = texts.map(noted)
      await append([write(stream, 'none', events)])
      const read = await readStream(stream)
      expect(read).toEqual(
        events.map(({ id, event }, revision) => ({ stream, revision, id, event, context }) satisfies (typeof read)[0]),
      )
    })

    test('of twenty writers to one stream: every success can be read, the others get a conflict, no gaps', async () => {
      const stream = newStream()
      const successes = new Map<string, number>()
      let losses = 0
      const writer = async (): Promise<void> => {
        let length = 0
        for (let done = 0; done < 5; ) {
          length += (await readStream(stream, length)).length
          const events = some(2)
          const [result] = await append([write(stream, length === 0 ? 'none' : length - 1, events)])
          if (result?.outcome === 'appended') {
            for (const [i, id] of idsOf(events).entries()) successes.set(id, result.revision - 1 + i)
            done++
          } else losses++
        }
      }
      await Promise.all(Array.from({ length: 20 }, writer))
      const read = await readStream(stream)
      expect(read.map(({ revision }) => revision)).toEqual(Array.from({ length: 200 }, (_, i) => i))
      expect(new Map(read.map(({ id, revision }) => [id, revision]))).toEqual(successes)
      expect(losses).toBeGreaterThan(0)
    })
  })
}
