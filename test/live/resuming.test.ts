import { setMaxListeners } from 'node:events'
import { expect, test } from 'vitest'
import { PermanentCommandError } from '../../src/index.ts'
import { createPostgresLiveEvents } from '../../src/infrastructure/live/postgres-live-events.ts'
import { createTestBus, type TestBus } from '../support/bus.ts'
import { settled } from '../support/settled.ts'
import { atEnd, connect, frames, lineOf, logOf, serveSse } from './support.ts'

const CLIENTS = 4
const COMMANDS = 400

/** Sends commands from several processes while workers run; resolves when all commands have ended. */
const busyTime = async (
  { bus, another, work, until, pool }: TestBus,
  onSent: (sent: number) => void = () => {},
): Promise<void> => {
  let sent = 0
  const handlers = {
    '*': (data: unknown) => {
      if ((data as { n: number }).n % 7 === 0) throw new PermanentCommandError('NO', 'no')
      return null
    },
  }
  await work({ domain: 'payments', handlers, concurrency: 20 })
  await work({ domain: 'billing', handlers, concurrency: 20 })
  const buses = [bus, another(), another()]
  const sender = async (lane: number): Promise<void> => {
    for (let n = lane; n < COMMANDS; n += 8) {
      await buses[lane % 3]?.send(n % 2 === 0 ? 'payments' : 'billing', 'Charge', { n })
      onSent(++sent)
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, lane) => sender(lane)))
  await until(
    () =>
      pool.query("select count(*)::int as n from command_bus_command where status not in ('PENDING', 'IN_PROGRESS')"),
    ({ rows }) => rows[0].n >= COMMANDS,
  )
}

test('a client that is killed again and again, and resumes, sees every event once and in order', async () => {
  const test = await createTestBus()
  const live = createPostgresLiveEvents(test.pool, { pageSize: 50 })
  atEnd(live.stop)
  const { url } = await serveSse(live)
  await test.bus.send('payments', 'Early', {})
  await settled(test.pool)
  const before = await logOf(test.pool)
  let written = false
  let kills = 0

  /** Reads over short connections: each is cut after some events, or in the middle of one. */
  const client = async (seed: number): Promise<readonly string[]> => {
    const seen: string[] = []
    const first = await connect(url)
    let lastId: string | undefined
    for (let life = 0, response = first; ; life++, response = await connect(url, lastId)) {
      let left = 1 + ((seed * 31 + life * 17) % 60)
      for await (const frame of frames(response)) {
        if (frame.id !== undefined) lastId = frame.id
        if (life === 0) started.get(seed)?.()
        if (frame.data !== undefined) seen.push(lineOf(frame.data))
        if (--left <= 0) break
        if (written && seen.length === total) break
      }
      response.destroy()
      kills++
      if (written && seen.length >= total) return seen
    }
  }

  let total = Number.POSITIVE_INFINITY
  const started = new Map<number, () => void>()
  const ready = Array.from({ length: CLIENTS }, (_, seed) => new Promise<void>(resolve => started.set(seed, resolve)))
  const clients = Array.from({ length: CLIENTS }, (_, seed) => client(seed))
  await Promise.all(ready)
  await busyTime(test)
  const expected = (await logOf(test.pool)).slice(before.length)
  total = expected.length
  written = true
  // wakes clients whose last event had come before the count was known
  await test.bus.send('payments', 'Late', {})

  for (const seen of await Promise.all(clients)) expect(seen.slice(0, total)).toEqual(expected)
  expect(total).toBeGreaterThanOrEqual(COMMANDS * 2)
  expect(kills).toBeGreaterThan(CLIENTS * 10)
})

test('readers that join while others write get the whole log, without gaps or repetitions', async () => {
  const test = await createTestBus()
  const live = createPostgresLiveEvents(test.pool, { pageSize: 20, maxBuffered: 100_000 })
  atEnd(live.stop)
  const end = new AbortController()
  setMaxListeners(0, end.signal)
  const seen: string[][] = []
  const reader = async (): Promise<void> => {
    const mine: string[] = []
    seen.push(mine)
    for await (const event of await live.subscribe({ after: null, signal: end.signal })) mine.push(lineOf(event))
  }

  const readers: Promise<void>[] = []
  await busyTime(test, sent => {
    if (sent % 40 === 0) readers.push(reader())
  })
  const expected = await logOf(test.pool)
  await test.until(
    async () => seen,
    all => all.every(one => one.length >= expected.length),
  )
  end.abort()
  await Promise.all(readers)
  expect(readers).toHaveLength(COMMANDS / 40)
  for (const one of seen) expect(one).toEqual(expected)
})

test('a client that never saw an event resumes where it connected', async () => {
  const { bus, pool } = await createTestBus()
  const live = createPostgresLiveEvents(pool)
  atEnd(live.stop)
  const { url } = await serveSse(live)
  await bus.send('payments', 'Before', {})
  await settled(pool)

  const first = await connect(url)
  const { value: opening } = await frames(first).next()
  first.destroy()
  await bus.send('payments', 'Between', {})
  const second = await connect(url, opening?.id)
  const seen: string[] = []
  for await (const { data } of frames(second)) {
    if (data === undefined) continue
    seen.push(data.commandType ?? '')
    if (seen.length === 1) await bus.send('payments', 'After', {})
    if (seen.length === 2) break
  }
  expect(seen).toEqual(['Between', 'After'])
})
