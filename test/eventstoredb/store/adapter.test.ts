import { afterEach, describe, expect, test } from 'vitest'
import { connectEventStoreDb } from '../../../src/infrastructure/eventstoredb/connection/connection.ts'
import { EventStoreAwayError } from '../../../src/infrastructure/eventstoredb/connection/errors.ts'
import { createEventStoreDbEventStore } from '../../../src/infrastructure/eventstoredb/store/event-store.ts'
import { idsOf, newStream, type Opened, outcomes, some, write } from '../../../src/testing/ports/contract-kit.ts'
import { until } from '../../support/bus.ts'
import { openNotes } from '../../support/eventstoredb/notes.ts'
import { startTestDouble, type TestDouble, type TestDoubleOptions } from '../../support/eventstoredb/server.ts'
import { notedCodec } from '../../support/noted.ts'

const open: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const begin = async (options: TestDoubleOptions & { timeoutMs?: number; retryMs?: number } = {}) => {
  const double = await startTestDouble(options)
  open.push(double.stop)
  const log = openNotes(double.url, { timeoutMs: options.timeoutMs ?? 300, retryMs: options.retryMs ?? 5_000 })
  open.push(log.close)
  return { double, ...log }
}

const servers: readonly TestDoubleOptions[] = [
  { batches: true },
  { batches: false },
  { batches: true, remembersIds: false },
]

describe.each(servers)('an append, on a server that is %j', options => {
  test('whose answer is lost after the commit counts once', async () => {
    const { double, store } = await begin(options)
    const stream = newStream()
    const append = write(stream, 'none', some(3))
    double.dropAfterCommit()
    expect(await store.append([append])).toEqual([{ outcome: 'appended', stream, revision: 2, msgId: null }])
    expect(idsOf(await store.readStream(stream))).toEqual(idsOf(append.events))
    expect(double.appends()).toBe(2)
  })

  test('without an expected revision, whose answer is lost, counts once', async () => {
    const { double, store } = await begin(options)
    const stream = newStream()
    await store.append([write(stream, 'none', some(2))])
    double.dropAfterCommit()
    expect(await store.append([write(stream, 'any', some(2))])).toMatchObject([{ outcome: 'appended', revision: 3 }])
    expect(await store.readStream(stream)).toHaveLength(4)
  })

  test('waits for a server that cannot be reached, and for one that does not answer', async () => {
    const { double, store } = await begin(options)
    await store.append([write(newStream(), 'none')])
    for (const harm of [double.fail, double.hush, double.stop]) {
      const stream = newStream()
      harm()
      const appending = store.append([write(stream, 'none')])
      const before = double.appends()
      if (harm === double.stop) await double.start()
      else
        await until(
          async () => double.appends(),
          n => n > before,
        )
      double.heal()
      expect(outcomes(await appending)).toEqual(['appended'])
      expect(await store.readStream(stream)).toHaveLength(1)
    }
  })

  test("fails with the bus's own error when the server stays away", async () => {
    const { double, store } = await begin({ ...options, retryMs: 200 })
    for (const harm of [double.fail, double.hush, double.stop]) {
      harm()
      await expect(store.append([write(newStream(), 'none')])).rejects.toThrow(EventStoreAwayError)
      await expect(store.readStream(newStream())).rejects.toThrow(/EVENTSTORE_URL/)
      double.heal()
    }
  })

  test('of thousands of events while the server restarts again and again stores each once', async () => {
    const { double, store } = await begin({ ...options, retryMs: 30_000 })
    const streams = Array.from({ length: 1_500 }, newStream)
    const appending = Promise.all(streams.map(stream => store.append([write(stream, 'none')])))
    for (const part of [200, 500, 900]) {
      await until(
        async () => double.log.all.length,
        n => n >= part,
      )
      double.stop()
      await double.start()
    }
    expect(new Set(outcomes((await appending).flat()))).toEqual(new Set(['appended']))
    expect(double.log.all).toHaveLength(streams.length)
    expect(new Set(double.log.all.map(({ stream }) => stream)).size).toBe(streams.length)
  })
})

describe('the adapter', () => {
  test('does not take part in a transaction of PostgreSQL, and cannot append to several streams at once', async () => {
    const { store } = await begin()
    await expect(store.append([write(newStream(), 'none')], { within: {} })).rejects.toThrow(/transaction/)
    await expect(store.readStreams([newStream()], { within: {} })).rejects.toThrow(/transaction/)
    await expect(store.appendAll([write(newStream(), 'none')])).rejects.toThrow(/several streams/)
    expect(store.capabilities).toEqual({ atomicAppend: false, inlineProjections: false })
  })

  test('stores the three parts of the codec unchanged', async () => {
    const { double, store } = await begin()
    const append = write(newStream(), 'none')
    await store.append([append])
    const [{ event, context, id }] = append.events as [(typeof append.events)[0]]
    const { type, data, meta } = notedCodec.encode(event, context)
    const [kept] = double.log.all
    expect(kept).toMatchObject({ id, type, contentType: 'application/json' })
    expect(JSON.parse(Buffer.from(kept?.data ?? []).toString())).toEqual(data)
    expect(JSON.parse(Buffer.from(kept?.metadata ?? []).toString())).toEqual(meta)
  })

  test('reads a stream and a feed of many pages', async () => {
    const { store, feed } = await begin()
    const stream = newStream()
    await store.append([write(stream, 'none', some(1_203))])
    expect(await store.readStream(stream)).toHaveLength(1_203)
    expect(await store.readStream(stream, 1_000)).toHaveLength(203)
    expect(await feed.read(null, 2_000)).toHaveLength(1_203)
  })

  test('accepts only one server in a process, and refuses a broken address with a clear message', async () => {
    const { double } = await begin()
    expect(() => connectEventStoreDb('esdb://other:2113')).toThrow(/another EventStoreDB/)
    await connectEventStoreDb(double.url).close()
    for (const close of open.splice(0).reverse()) await close()
    const connection = connectEventStoreDb('esdb://admin:secret@?')
    open.push(connection.close)
    const store = createEventStoreDbEventStore({ connection, codec: notedCodec })
    const failure = await store.readStream(newStream()).catch(String)
    expect(failure).toMatch(/EVENTSTORE_URL/)
    expect(failure).not.toMatch(/secret/)
  })
})

describe('the feed', () => {
  const passing = async ({ store, feed }: Opened, double: TestDouble) => {
    const append = write(newStream(), 'none', some(2))
    double.addSystemEvents(700)
    await store.append([append])
    double.addSystemEvents(700)
    expect(idsOf(await feed.read(null, 10))).toEqual(idsOf(append.events))
    return (await feed.read(null, 10)).at(-1)?.position ?? null
  }

  test("skips the server's own events, and remembers the position", async () => {
    const opened = await begin()
    const last = await passing(opened, opened.double)
    expect(await opened.feed.head()).toBe(last)
    for (let i = 0; i < 3; i++) expect(await opened.feed.read(last, 10)).toEqual([])
    opened.double.addSystemEvents(700)
    expect(await opened.feed.head()).toBe(last)
    const later = write(newStream(), 'none', some(2))
    await opened.store.append([later])
    expect(idsOf(await opened.feed.read(last, 1))).toEqual(idsOf(later.events).slice(0, 1))
    expect(idsOf(await opened.feed.read(last, 10))).toEqual(idsOf(later.events))
    expect(await opened.feed.head()).toBe((await opened.feed.read(last, 10)).at(-1)?.position)
  })

  test('has positions as text, with gaps, and none on an empty log', async () => {
    const opened = await begin()
    expect(await opened.feed.head()).toBeNull()
    opened.double.addSystemEvents(3)
    expect(await opened.feed.head()).toBeNull()
    expect(await opened.feed.read(null, 5)).toEqual([])
    const last = await passing(opened, opened.double)
    expect(last).toMatch(/^\d+\/\d+$/)
  })
})
