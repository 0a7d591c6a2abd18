import type { ExpectedRevision, NewEvent } from '../../application/ports/event-store.ts'
import { idsOf, type Noted, newStream, type Opened, outcomes, some, streamOf, write } from './contract-kit.ts'
import type { Vitest } from './vitest.ts'

/** Tests of repeated appends, and of appends that take all or nothing. */
export const repetitionContract = (
  { describe, expect, test }: Vitest,
  opened: () => Opened,
  has: { readonly atomicAppend: boolean },
): void => {
  describe('the same event ids again', () => {
    const places: readonly (readonly [string, number, ExpectedRevision])[] = [
      ['none', 0, 'none'],
      ['a revision', 2, 1],
    ]
    for (const [name, there, expected] of places)
      test(`count as success, once (${name})`, async () => {
        const stream = await streamOf(opened().store, there)
        const append = write(stream, expected, some(2))
        const first = await opened().store.append([append])
        expect(await opened().store.append([append])).toEqual(first)
        expect(await opened().store.readStream(stream)).toHaveLength(there + 2)
      })

    test('count as success also when later events have followed', async () => {
      const stream = newStream()
      const append = write(stream, 'none', some(2))
      await opened().store.append([append])
      await opened().store.append([write(stream, 1, some(2))])
      expect(await opened().store.append([append])).toEqual([{ outcome: 'appended', stream, revision: 1, msgId: null }])
      expect(await opened().store.readStream(stream)).toHaveLength(4)
    })

    test('are a conflict when only some of them are stored, or at another revision', async () => {
      const stream = newStream()
      const [first, second, third] = some(3) as [NewEvent<Noted>, NewEvent<Noted>, NewEvent<Noted>]
      await opened().store.append([write(stream, 'none', [first, second])])
      expect(outcomes(await opened().store.append([write(stream, 'none', [first, third])]))).toEqual(['conflict'])
      expect(outcomes(await opened().store.append([write(stream, 'none', [first, second, third])]))).toEqual([
        'conflict',
      ])
      expect(outcomes(await opened().store.append([write(stream, 'none', [second])]))).toEqual(['conflict'])
      expect(idsOf(await opened().store.readStream(stream))).toEqual([first.id, second.id])
    })

    test('do not affect other streams of the call', async () => {
      const [old, fresh, taken] = [newStream(), newStream(), await streamOf(opened().store, 1)]
      const append = write(old, 'none')
      await opened().store.append([append])
      const results = await opened().store.append([write(taken, 'none'), append, write(fresh, 'none')])
      expect(outcomes(results)).toEqual(['conflict', 'appended', 'appended'])
      expect(await opened().store.readStream(old)).toHaveLength(1)
    })
  })

  if (has.atomicAppend)
    describe('an append of all or nothing', () => {
      test('appends all', async () => {
        const [a, b] = [await streamOf(opened().store, 2), newStream()]
        const results = await opened().store.appendAll([write(a, 1), write(b, 'none', some(2))])
        expect(results).toEqual([
          { outcome: 'appended', stream: a, revision: 2, msgId: null },
          { outcome: 'appended', stream: b, revision: 1, msgId: null },
        ])
        expect(
          [await opened().store.readStream(a), await opened().store.readStream(b)].map(events => events.length),
        ).toEqual([3, 2])
      })

      test('appends nothing when one stream has a conflict, and names it', async () => {
        const [a, b, c, d] = [
          newStream(),
          await streamOf(opened().store, 2),
          await streamOf(opened().store, 1),
          newStream(),
        ]
        const results = await opened().store.appendAll([write(a, 'none'), write(b, 0), write(c, 0), write(d, 3)])
        expect(outcomes(results)).toEqual(['not-tried', 'conflict', 'not-tried', 'conflict'])
        const lengths = await Promise.all(
          [a, b, c, d].map(async stream => (await opened().store.readStream(stream)).length),
        )
        expect(lengths).toEqual([0, 2, 1, 0])
      })

      test('counts once when it is repeated', async () => {
        const [a, b] = [newStream(), await streamOf(opened().store, 1)]
        const appends = [write(a, 'none', some(2)), write(b, 0)]
        const first = await opened().store.appendAll(appends)
        expect(await opened().store.appendAll(appends)).toEqual(first)
        expect(
          [await opened().store.readStream(a), await opened().store.readStream(b)].map(events => events.length),
        ).toEqual([2, 2])
      })

      test('succeeds for one of many writers to the same streams, in whatever order they name them', async () => {
        const [a, b, c] = [newStream(), newStream(), newStream()]
        const rivals = Array.from({ length: 12 }, (_, i) => {
          const appends = [a, b, c].map(stream => write(stream, 'none'))
          return i % 2 === 0 ? appends : appends.reverse()
        })
        const results = await Promise.all(rivals.map(appends => opened().store.appendAll(appends)))
        const winners = results.filter(result => outcomes(result).every(outcome => outcome === 'appended'))
        expect(winners).toHaveLength(1)
        const won = rivals[results.indexOf(winners[0] ?? [])] ?? []
        for (const { stream, events } of won)
          expect(idsOf(await opened().store.readStream(stream))).toEqual(idsOf(events))
      })

      test('without events, or with a stream twice, is refused', async () => {
        const stream = newStream()
        await expect(opened().store.appendAll([write(stream, 'none', [])])).rejects.toThrow(stream)
        await expect(opened().store.appendAll([write(stream, 'none'), write(stream, 'none')])).rejects.toThrow(/twice/)
      })
    })
}
