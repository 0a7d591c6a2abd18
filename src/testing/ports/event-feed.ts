import type { FeedEvent, FeedPosition } from '../../application/ports/event-feed.ts'
import type { NewEvent } from '../../application/ports/event-store.ts'
import { idsOf, type Noted, newStream, type Opened, some, write } from './contract-kit.ts'
import type { Vitest } from './vitest.ts'

/** The feed of a store, with or without transactions. */
export const eventFeedContract = ({ describe, expect, test }: Vitest, opened: () => Opened): void => {
  describe('the feed', () => {
    interface Reading {
      readonly events: readonly FeedEvent<Noted>[]
      readonly after: FeedPosition | null
    }

    /** Reads on until `ids` have been seen; skips other events. */
    const readUntil = async (from: FeedPosition | null, ids: readonly string[], limit = 50): Promise<Reading> => {
      const wanted = new Set(ids)
      const events: FeedEvent<Noted>[] = []
      let after = from
      const step = async () => {
        const page = await opened().feed.read(after, limit)
        expect(page.length).toBeLessThanOrEqual(limit)
        after = page.at(-1)?.position ?? after
        events.push(...page.filter(({ id }) => wanted.has(id)))
        return page.length > 0 ? 'more' : new Set(idsOf(events)).size
      }
      await expect.poll(step, { timeout: 20_000, interval: 5 }).toBe(wanted.size)
      return { events, after }
    }

    const appendMany = async (count: number): Promise<readonly NewEvent<Noted>[]> => {
      const appends = Array.from({ length: count }, () => write(newStream(), 'none', some(2)))
      await opened().store.append(appends)
      return appends.flatMap(({ events }) => events)
    }

    test('gives every event once, each stream in order, equal to what the stream gives', async () => {
      const start = await opened().feed.head()
      const stream = newStream()
      const other = newStream()
      const events = some(6)
      for (let i = 0; i < 6; i += 2) {
        await opened().store.append([write(stream, i === 0 ? 'none' : i - 1, events.slice(i, i + 2))])
        await opened().store.append([write(other, 'any')])
      }
      const { events: read } = await readUntil(start, idsOf(events))
      expect(idsOf(read)).toEqual(idsOf(events))
      expect(read.map(({ position: _, recordedAt: __, msgId: ___, ...recorded }) => recorded)).toEqual(
        await opened().store.readStream(stream),
      )
      for (const { msgId, recordedAt } of read) {
        expect(msgId).toBeNull()
        expect(new Date(recordedAt).toISOString()).toBe(recordedAt)
      }
    })

    test('keeps its order: reading again gives the same', async () => {
      const start = await opened().feed.head()
      const ids = idsOf(await appendMany(20))
      const first = await readUntil(start, ids)
      expect(first.events).toHaveLength(ids.length)
      expect((await readUntil(start, ids)).events).toEqual(first.events)
      expect(new Set(first.events.map(({ position }) => position)).size).toBe(ids.length)
    })

    for (const limit of [1, 3, 7, 1000])
      test(`pages of ${limit} give the same events`, async () => {
        const start = await opened().feed.head()
        const ids = idsOf(await appendMany(10))
        const whole = await readUntil(start, ids)
        expect(idsOf((await readUntil(start, ids, limit)).events)).toEqual(idsOf(whole.events))
      })

    test('goes on from the position of any event', async () => {
      const start = await opened().feed.head()
      const ids = idsOf(await appendMany(6))
      const { events } = await readUntil(start, ids)
      for (const [i, { position }] of events.entries()) {
        const rest = idsOf(events.slice(i + 1))
        expect(idsOf((await readUntil(position, rest, 4)).events)).toEqual(rest)
      }
    })

    test('begins with the first event of the log, and stops at its end', async () => {
      const ids = idsOf(await appendMany(1))
      const { after } = await readUntil(null, ids, 1000)
      const later = idsOf(await appendMany(1))
      expect(idsOf((await readUntil(after, later)).events)).toEqual(later)
    })

    test('has nothing after its head', async () => {
      const ids = idsOf(await appendMany(1))
      await readUntil(null, ids, 1000)
      const head = await opened().feed.head()
      expect(idsOf(await opened().feed.read(head, 10))).not.toEqual(expect.arrayContaining([...ids]))
      const later = idsOf(await appendMany(1))
      expect(idsOf((await readUntil(head, later)).events)).toEqual(later)
    })

    test('refuses an invalid position', async () => {
      await expect(opened().feed.read('nowhere', 1)).rejects.toThrow(/feed position/)
    })

    test('loses nothing of an older transaction that is still open', async context => {
      const { begin } = opened()
      if (begin === undefined) {
        context.skip('no transactions here')
        return
      }
      const start = await opened().feed.head()
      const [older, newer] = [write(newStream(), 'none', some(2)), write(newStream(), 'none', some(2))]
      const transaction = await begin()
      await opened().store.append([older], { within: transaction.within })
      await opened().store.append([newer])
      const early = await opened().feed.read(start, 100)
      expect(idsOf(early)).not.toEqual(expect.arrayContaining(idsOf(older.events)))
      await transaction.commit()
      const ids = idsOf([...older.events, ...newer.events])
      const seen = idsOf(early).filter(id => ids.includes(id))
      const rest = ids.filter(id => !seen.includes(id))
      const { events } = await readUntil(early.at(-1)?.position ?? start, rest)
      expect([...seen, ...idsOf(events)].sort()).toEqual([...ids].sort())
      expect(idsOf((await readUntil(start, ids)).events)).toEqual([...seen, ...idsOf(events)])
    })
  })
}
