import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { WorkItem } from '../../../src/application/commands/work-message.ts'
import { silentLog } from '../../../src/application/ports/log.ts'
import type { DeliveryTag } from '../../../src/application/ports/queue.ts'
import type { Run } from '../../../src/infrastructure/worker/attempt/run.ts'
import { startHeartbeat } from '../../../src/infrastructure/worker/heartbeat.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00.000Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

const jobOf = (msgId: string) =>
  ({
    delivery: { queue: 'payments__commands', msgId, delivery: 1 },
    key: { domain: 'payments', commandId: msgId },
    command: { sent: { commandType: 'Charge' } },
  }) as WorkItem

type Extend = (tags: readonly DeliveryTag[], leaseMs: number) => Promise<readonly string[]>

const allOurs: Extend = async tags => tags.map(({ msgId }) => msgId)
const never: Extend = () => new Promise(() => {})
const fails: Extend = () => Promise.reject(new Error('no connection'))

/** The heartbeat of a worker that handles the messages 1 and 2 and has read 3; `answers` are those of its two connections. */
const beating = (leaseMs: number, answers: { own?: Extend; other?: Extend } = {}) => {
  const asked: string[] = []
  const aborted: string[] = []
  const current = { own: allOurs, other: allOurs, ...answers }
  const held = ['1', '2'].map(
    id => ({ job: jobOf(id), abort: (reason: string) => void aborted.push(`${id}: ${reason}`) }) as unknown as Run,
  )
  const queue = (name: 'own' | 'other') => ({
    extend: (_: string, tags: readonly DeliveryTag[], ms: number) => {
      asked.push(`${name} ${tags.map(({ msgId }) => msgId)} ${ms}`)
      return current[name](tags, ms)
    },
  })
  const heartbeat = startHeartbeat({
    queue: queue('own'),
    otherQueue: queue('other'),
    name: 'payments__commands',
    leaseMs,
    held: () => held,
    buffered: () => [jobOf('3')],
    clock: { now: () => new Date(), random: () => 0 },
    log: silentLog,
  })
  return { heartbeat, asked, aborted, held, answers: current }
}

test('extends the leases of running and waiting messages, at once and three times in a lease, until it stops', async () => {
  const { heartbeat, asked } = beating(30_000)
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual(['own 1,2,3 30000'])
  await vi.advanceTimersByTimeAsync(9_999)
  expect(asked).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(asked).toHaveLength(2)
  await heartbeat.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(2)
})

test('by itself beats at most five times a second', async () => {
  const { asked } = beating(300)
  await vi.advanceTimersByTimeAsync(199)
  expect(asked).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(asked).toHaveLength(2)
})

test('aborts a handler whose message another worker has now, but not one whose outcome was recorded meanwhile', async () => {
  const { heartbeat, aborted, held, answers } = beating(30_000)
  await vi.advanceTimersByTimeAsync(0)
  answers.own = async () => {
    // the second one has ended while the answer was on its way
    held.splice(1, 1)
    return ['3']
  }
  heartbeat.beatNow()
  await vi.advanceTimersByTimeAsync(0)
  expect(aborted).toEqual(['1: the lease of this message is lost'])
})

test('uses a connection of the worker when its own fails', async () => {
  const { heartbeat, asked, aborted } = beating(3_000, { own: fails })
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual(['own 1,2,3 3000', 'other 1,2,3 3000'])
  expect([heartbeat.failingSince(), aborted]).toEqual([null, []])
})

test('uses a connection of the worker when its own does not answer within a third of the lease', async () => {
  vi.useRealTimers()
  const { heartbeat, asked } = beating(600, { own: never })
  await vi.waitFor(() => expect(asked[1]).toBe('other 1,2,3 600'), { timeout: 60_000 })
  await heartbeat.stop()
})

test('reports since when leases cannot be extended, until they can again', async () => {
  const { heartbeat, answers, aborted } = beating(3_000, { own: fails, other: fails })
  await vi.advanceTimersByTimeAsync(2_500)
  expect(heartbeat.failingSince()).toEqual(new Date('2026-01-01T00:00:00.000Z'))
  expect(aborted).toEqual([])
  answers.other = allOurs
  await vi.advanceTimersByTimeAsync(500)
  expect(heartbeat.failingSince()).toBeNull()
})

test('runs one beat at a time, and a stop waits for the present beat', async () => {
  let answer: (ids: readonly string[]) => void = () => {}
  const own: Extend = () =>
    new Promise(resolve => {
      answer = resolve
    })
  const { heartbeat, asked } = beating(30_000, { own })
  heartbeat.beatNow()
  heartbeat.beatNow()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toHaveLength(1)
  let stopped = false
  const stop = heartbeat.stop().then(() => {
    stopped = true
  })
  await vi.advanceTimersByTimeAsync(100)
  expect(stopped).toBe(false)
  answer(['1', '2', '3'])
  await stop
  expect(asked).toHaveLength(1)
})
