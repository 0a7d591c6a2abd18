import { expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import type { Delivery, DeliveryTag, Queue } from '../../../src/application/ports/queue.ts'
import { createOwnMessages } from '../../../src/infrastructure/worker/own-messages.ts'

const message = (msgId: string, delivery: number): Delivery => ({
  msgId,
  delivery,
  enqueuedAt: '2026-01-01T00:00:00.000Z',
  body: {},
  size: 2,
})

/** What a worker holds, with what it gave back; `answer` is what the queue says to that. */
const ownMessages = (answer: () => Promise<void> = async () => {}) => {
  const givenBack: unknown[] = []
  const warned: unknown[] = []
  const handBack: Queue['handBack'] = async (queue, tags, options) => {
    givenBack.push([queue, tags.map(({ msgId, delivery }: DeliveryTag) => [msgId, delivery]), options])
    await answer()
  }
  const log = { ...silentLog, warn: (fields: object, text: string) => void warned.push([fields, text]) }
  const own = createOwnMessages({ queue: { handBack }, name: 'payments__commands', leaseMs: 30_000, log })
  return { own, givenBack, warned }
}

test('what this worker does not hold may be begun', async () => {
  const { own, givenBack } = ownMessages()
  own.hold(message('1', 1), () => expect.unreachable())
  own.letGo(message('1', 1))
  const read = [message('1', 2), message('2', 1)]
  expect(await own.others(read)).toEqual(read)
  expect(givenBack).toEqual([])
})

test('one that it holds is not begun beside itself: its read is taken back, and it stays its own for a lease', async () => {
  const { own, givenBack, warned } = ownMessages()
  own.hold(message('1', 3), () => expect.unreachable())
  expect(await own.others([message('1', 4), message('2', 1)])).toEqual([message('2', 1)])
  expect(givenBack).toEqual([['payments__commands', [['1', 4]], { uncount: true, delayMs: 30_000 }]])
  const which = { queue: 'payments__commands', messages: ['1'] }
  expect(warned).toEqual([[which, 'leases ran out under handlers that still run here; they are not begun again']])
})

test('one that another worker had in between is lost: its handler is told, and it comes back soon', async () => {
  const { own, givenBack } = ownMessages()
  const lost: string[] = []
  own.hold(message('1', 3), () => lost.push('an earlier hold'))
  own.hold(message('1', 3), () => lost.push('1'))
  own.hold(message('2', 1), () => lost.push('2'))
  expect(await own.others([message('1', 5), message('2', 2)])).toEqual([])
  expect(lost).toEqual(['1'])
  expect(givenBack).toEqual([
    ['payments__commands', [['2', 2]], { uncount: true, delayMs: 30_000 }],
    ['payments__commands', [['1', 5]], { uncount: true, delayMs: 1_000 }],
  ])
})

test('one that only waited here when another worker had it may be begun as what it is now, and is not given back', async () => {
  const { own, givenBack } = ownMessages()
  own.hold(message('1', 1), () => own.letGo(message('1', 1)))
  expect(await own.others([message('1', 3)])).toEqual([message('1', 3)])
  expect(givenBack).toEqual([])
})

test.each([2, 3])(
  'one that ends while it is given back is not begun by the read that was taken back (read %i)',
  async delivery => {
    const { own, givenBack } = ownMessages(async () => own.letGo(message('1', 1)))
    own.hold(message('1', 1), () => {})
    expect(await own.others([message('1', delivery)])).toEqual([])
    expect(givenBack).toHaveLength(1)
  },
)

test('one that cannot be given back is not begun either, and what was read with it is', async () => {
  const { own, warned } = ownMessages(() => Promise.reject(new Error('no connection')))
  own.hold(message('1', 1), () => expect.unreachable())
  expect(await own.others([message('1', 2), message('2', 1)])).toEqual([message('2', 1)])
  expect(warned.at(-1)).toEqual([
    { err: new Error('no connection'), queue: 'payments__commands' },
    'messages could not be given back; they come back after their lease',
  ])
})
