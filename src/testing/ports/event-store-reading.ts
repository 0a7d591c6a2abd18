import { newStream, type Opened, outcomes, streamOf, write } from './contract-kit.ts'
import type { Vitest } from './vitest.ts'

/** Tests of reading streams, also what the caller's own transaction has appended. */
export const readingContract = ({ describe, expect, test }: Vitest, opened: () => Opened): void => {
  describe('reading', () => {
    test('a stream from a revision gives that event and what follows', async () => {
      const stream = await streamOf(opened().store, 5)
      const revisions = async (from?: number) =>
        (await opened().store.readStream(stream, from)).map(({ revision }) => revision)
      expect(await revisions()).toEqual([0, 1, 2, 3, 4])
      expect(await revisions(0)).toEqual([0, 1, 2, 3, 4])
      expect(await revisions(3)).toEqual([3, 4])
      expect(await revisions(4)).toEqual([4])
      expect(await revisions(5)).toEqual([])
    })

    test('a missing stream gives nothing', async () => {
      expect(await opened().store.readStream(newStream())).toEqual([])
      expect(await opened().store.readStream(newStream(), 3)).toEqual([])
    })

    test('many streams gives each its own, and leaves missing ones out', async () => {
      const [a, missing, b] = [await streamOf(opened().store, 3), newStream(), await streamOf(opened().store, 1)]
      const found = await opened().store.readStreams([b, missing, a])
      expect(new Set(found.keys())).toEqual(new Set([a, b]))
      expect(found.get(a)).toEqual(await opened().store.readStream(a))
      expect(found.get(b)).toEqual(await opened().store.readStream(b))
      expect(await opened().store.readStreams([])).toEqual(new Map())
    })

    test('an archived stream gives the events that stand in for it, read by itself or with others', async context => {
      const { store, archive } = opened()
      if (archive === undefined) {
        context.skip('nothing is archived here')
        return
      }
      const [gone, there] = [await streamOf(store, 3), await streamOf(store, 2)]
      const recorded = await store.readStream(gone)
      await archive(gone)
      const found = await store.readStreams([gone, there])
      expect(found.get(gone)?.map(({ revision }) => revision)).toEqual([2])
      expect(found.get(gone)).not.toEqual(recorded.slice(2))
      expect(await store.readStream(gone)).toEqual(found.get(gone))
      expect(await store.readStream(there)).toEqual(found.get(there))
      expect(await store.readStream(gone, 0, { recordedOnly: true })).toEqual([])
      expect(await store.readStream(gone, 1)).toEqual([])
      expect(await store.readStream(there, 0, { recordedOnly: true })).toEqual(found.get(there))
    })

    test('treats a name as text only', async () => {
      const stream = newStream()
      await opened().store.append([
        write(`${stream}-a`, 'none'),
        write(`${stream}_`, 'none'),
        write(`${stream}%`, 'none'),
      ])
      expect(await opened().store.readStream(stream)).toEqual([])
      expect(await opened().store.readStream(`${stream}%`)).toHaveLength(1)
    })
  })

  describe('within a transaction of the caller', () => {
    test('events are visible only in the transaction until it commits, and gone when it rolls back', async context => {
      const { begin } = opened()
      if (begin === undefined) {
        context.skip('no transactions here')
        return
      }
      for (const end of ['commit', 'rollback'] as const) {
        const stream = newStream()
        const transaction = await begin()
        const { within } = transaction
        expect(outcomes(await opened().store.append([write(stream, 'none')], { within }))).toEqual(['appended'])
        expect(outcomes(await opened().store.append([write(stream, 0)], { within }))).toEqual(['appended'])
        expect((await opened().store.readStreams([stream], { within })).get(stream)).toHaveLength(2)
        expect(await opened().store.readStream(stream)).toEqual([])
        await transaction[end]()
        expect(await opened().store.readStream(stream)).toHaveLength(end === 'commit' ? 2 : 0)
      }
    })
  })
}
