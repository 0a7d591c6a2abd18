import { expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import type { Delivery, DeliveryTag, Queue } from '../../../src/application/ports/queue.ts'
import { createOwnMessages } from '../../../src/infrastructure/worker/own-messages.ts'

const message = (msgId: string, delivery: number): Delivery => ({
  queue: 'payments__commands',
  msgId,
  delivery,
  body: {},
  size: 2,
})

/** The messages that a worker holds and handed back; `answer` is the queue's answer to that. */
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

test('a message that this worker does not hold may start', async () => {
  const { own, givenBack } = ownMessages()
  own.hold(message('1', 1), () => expect.unreachable())
  own.letGo(message('1', 1))
  const read = [message('1', 2), message('2', 1)]
  expect(await own.others(read)).toEqual(read)
  expect(givenBack).toEqual([])
})

test('a message that it holds does not start twice: the second read is handed back, and the message stays its own for a lease', async () => {
  const { own, givenBack, warned } = ownMessages()
  own.hold(message('1', 3), () => expect.unreachable())
  expect(await own.others([message('1', 4), message('2', 1)])).toEqual([message('2', 1)])
  expect(givenBack).toEqual([['payments__commands', [['1', 4]], { uncount: true, delayMs: 30_000 }]])
  const which = { queue: 'payments__commands', messages: ['1'] }
  expect(warned).toEqual([[which, 'messages came back while this worker still holds them; they are not begun again']])
})

test('one that was read for its next attempt before the report of this one was answered becomes visible when that attempt is due', async () => {
  const { own, givenBack } = ownMessages()
  const held = ['1', '2', '3'].map(msgId => message(msgId, 3))
  for (const tag of held) own.hold(tag, () => expect.unreachable())
  expect(await own.others([message('1', 4), message('2', 4)])).toEqual([])
  own.letGo(message('1', 3), 50)
  own.letGo(message('2', 3))
  own.letGo(message('3', 3), 50)
  await Promise.resolve()
  const name = 'payments__commands'
  expect(givenBack).toEqual([
    [
      name,
      [
        ['1', 4],
        ['2', 4],
      ],
      { uncount: true, delayMs: 30_000 },
    ],
    [name, [['1', 3]], { uncount: false, delayMs: 50 }],
  ])
})

test('a message that another worker had in between is lost: its handler is aborted, and the message comes back soon', async () => {
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

test('a message that was only waiting here when another worker had it may start with its new read, and is not handed back', async () => {
  const { own, givenBack } = ownMessages()
  own.hold(message('1', 1), () => own.letGo(message('1', 1)))
  expect(await own.others([message('1', 3)])).toEqual([message('1', 3)])
  expect(givenBack).toEqual([])
})

test.each([2, 3])(
  'a message whose handler ends while it is handed back does not start from that read (read %i)',
  async delivery => {
    const { own, givenBack } = ownMessages(async () => own.letGo(message('1', 1)))
    own.hold(message('1', 1), () => {})
    expect(await own.others([message('1', delivery)])).toEqual([])
    expect(givenBack).toHaveLength(1)
  },
)

test('a message that cannot be handed back does not start either, and those read with it do', async () => {
  const { own, warned } = ownMessages(() => Promise.reject(new Error('no connection')))
  own.hold(message('1', 1), () => expect.unreachable())
  expect(await own.others([message('1', 2), message('2', 1)])).toEqual([message('2', 1)])
  expect(warned.at(-1)).toEqual([
    { err: new Error('no connection'), queue: 'payments__commands' },
    'messages could not be given back; they come back after their lease',
  ])
})
