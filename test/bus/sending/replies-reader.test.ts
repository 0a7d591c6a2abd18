import { expect, test } from 'vitest'
import {
  BusinessRuleError,
  InvalidInputError,
  type Reply,
  type ReplyContext,
  ReplyQueueRefusedError,
  type ReplyReaderOptions,
} from '../../../src/index.ts'
import { createTestBus, signal, type TestBus } from '../../support/bus.ts'

const QUEUE = 'shop__replies'
const handlers = {
  Echo: (data: unknown) => data,
  Refuse: () => {
    throw new BusinessRuleError('LIMIT_EXCEEDED', 'too much')
  },
}

const withWorker = async () => {
  const given = await createTestBus()
  await given.work({ domain: 'payments', handlers })
  const send = (data: unknown, commandType = 'Echo', correlationId?: string) =>
    given.bus.send('payments', commandType, data, {
      replyTo: QUEUE,
      ...(correlationId === undefined ? {} : { correlationId }),
    })
  return { ...given, send }
}

/** Notes the replies that it handles. */
const noting = (before: (reply: Reply, context: ReplyContext) => unknown = () => {}) => {
  const seen: { readonly reply: Reply; readonly delivery: number }[] = []
  const handler = async (reply: Reply, context: ReplyContext): Promise<void> => {
    seen.push({ reply, delivery: context.delivery })
    await before(reply, context)
  }
  const has = (count: number) => (given: TestBus) =>
    given.until(
      async () => seen,
      ({ length }) => length >= count,
    )
  return { seen, handler, has }
}

const left = ({ until, messages }: TestBus, count: number) =>
  until(
    () => messages(QUEUE),
    ({ length }) => length === count,
  )

const dataOf = (reply: Reply | undefined) => (reply?.outcome === 'SUCCESS' ? reply.data : null)

test('F12: a reader gets each reply with its type, and deletes it after the handler has returned', async () => {
  const given = await withWorker()
  const { bus, send } = given
  const { seen, handler, has } = noting()
  const reader = await bus.replies(QUEUE).run(handler)
  const sent = await Promise.all([send({ amount: 5 }, 'Echo', 'order 7'), send({}, 'Refuse')])
  await has(2)(given)
  await left(given, 0)
  await reader.stop()
  await reader.ended
  const replyTo = (i: number) => seen.find(({ reply }) => reply.commandId === sent[i]?.commandId)?.reply
  expect(replyTo(0)).toMatchObject({
    outcome: 'SUCCESS',
    domain: 'payments',
    commandType: 'Echo',
    correlationId: 'order 7',
    data: { amount: 5 },
    completedAt: expect.stringMatching(/Z$/),
  })
  expect(replyTo(1)).toMatchObject({
    outcome: 'FAILED',
    error: { code: 'LIMIT_EXCEEDED', message: 'too much', class: 'BUSINESS_RULE' },
  })
  expect(seen.map(({ delivery }) => delivery)).toEqual([1, 1])
})

test('F12: a reply whose handler throws comes again after a growing wait, and others are handled meanwhile', async () => {
  const given = await withWorker()
  const { bus, send } = given
  const errors: unknown[] = []
  const { seen, handler, has } = noting((reply, { delivery }) => {
    if (dataOf(reply) === 'bad' && delivery < 3) throw new Error(`delivery ${delivery}`)
  })
  await bus.replies(QUEUE).run(handler, {
    backoffSeconds: [0.01, 0.02],
    pollMs: 10,
    onError: (error, reply) => errors.push([(error as Error).message, dataOf(reply as Reply)]),
  })
  await Promise.all([send('bad'), send('good')])
  await has(4)(given)
  await left(given, 0)
  const of = (data: string) => seen.filter(({ reply }) => dataOf(reply) === data).map(({ delivery }) => delivery)
  expect(of('bad')).toEqual([1, 2, 3])
  expect(of('good')).toEqual([1])
  expect(errors).toEqual([
    ['delivery 1', 'bad'],
    ['delivery 2', 'bad'],
  ])
})

test('F12: what is not a reply is archived and reported, and the reader goes on', async () => {
  const given = await withWorker()
  const { bus, pool, send, archived } = given
  const { handler, has } = noting()
  const errors: unknown[] = []
  const reader = await bus.replies(QUEUE).run(handler, { onError: (error, reply) => errors.push([error, reply]) })
  const strays = ['"text"', '{"command_id": 7, "outcome": "SUCCESS"}', '{"command_id": "x", "outcome": "MAYBE"}']
  for (const stray of strays) await pool.query('select pgmq.send($1::text, $2::jsonb)', [QUEUE, stray])
  await send('mine')
  await has(1)(given)
  await left(given, 0)
  await reader.stop()
  expect((await archived(QUEUE)).map(({ message }) => message)).toEqual(strays.map(stray => JSON.parse(stray)))
  const notAReply = [expect.objectContaining({ code: 'NOT_A_REPLY' }), null]
  expect(errors).toEqual([notAReply, notAReply, notAReply])
})

test('F12: a reply of another library says why it failed in members of its own', async () => {
  const given = await withWorker()
  const { bus, pool } = given
  const { seen, handler, has } = noting()
  await bus.replies(QUEUE).run(handler)
  for (const body of [
    { command_id: 'a', outcome: 'FAILED', error_code: 'E1', error_message: 'first' },
    { command_id: 'b', outcome: 'FAILED', result: { error_code: 'E2', error_message: 'second' } },
    { command_id: 'c', outcome: 'SUCCESS', result: { ok: true } },
  ]) {
    await pool.query('select pgmq.send($1::text, $2::jsonb)', [QUEUE, JSON.stringify(body)])
  }
  await has(3)(given)
  expect(seen.map(({ reply }) => (reply.outcome === 'FAILED' ? reply.error : dataOf(reply)))).toEqual([
    { code: 'E1', message: 'first', class: null },
    { code: 'E2', message: 'second', class: null },
    { ok: true },
  ])
})

test('F12: a stop lets running handlers finish and begins no others', async () => {
  const given = await withWorker()
  const { bus, send } = given
  const over = new AbortController()
  const finish = signal()
  const { seen, handler, has } = noting(() => finish.promise)
  const reader = await bus.replies(QUEUE).run(handler, { concurrency: 1, signal: over.signal })
  await Promise.all([send(1), send(2)])
  await has(1)(given)
  await left(given, 2)
  over.abort()
  finish.resolve()
  await reader.ended
  await left(given, 1)
  expect(seen).toHaveLength(1)
})

test('F12: a handler that outlasts the stop is aborted, and its reply comes again, to the next reader', async () => {
  const given = await withWorker()
  const { bus, send } = given
  const aborted = signal()
  const first = noting((_, context) => {
    context.signal.addEventListener('abort', () => aborted.resolve())
    return aborted.promise.then(() => new Promise(() => {}))
  })
  const reader = await bus.replies(QUEUE).run(first.handler)
  await send('slow')
  await first.has(1)(given)
  await reader.stop({ deadlineMs: 0 })
  await aborted.promise
  const next = noting()
  await bus.replies(QUEUE).run(next.handler)
  await next.has(1)(given)
  await left(given, 0)
  expect(next.seen.map(({ delivery }) => delivery)).toEqual([2])
})

test('F12: a handler may run longer than its reply is hidden: no other reader gets it', async () => {
  const given = await withWorker()
  const { bus, send, until, messages } = given
  const finish = signal()
  const first = noting(() => finish.promise)
  const second = noting()
  const options = { visibilitySeconds: 1, pollMs: 20 }
  await bus.replies(QUEUE).run(first.handler, options)
  await send('slow')
  await first.has(1)(given)
  const [read] = await messages(QUEUE)
  await bus.replies(QUEUE).run(second.handler, options)
  // hidden again, twice the time at least
  await until(
    () => messages(QUEUE),
    found => (found[0]?.vt.getTime() ?? 0) > (read?.vt.getTime() ?? 0) + 1_000,
  )
  finish.resolve()
  await left(given, 0)
  expect([first.seen.length, second.seen.length]).toEqual([1, 0])
})

test('F12: a reader may want one correlation id only, or what has been on the queue for a while', async () => {
  const given = await withWorker()
  const { bus, send, pool } = given
  await Promise.all([send(1, 'Echo', 'a'), send(2, 'Echo', 'b'), send(3, 'Echo', 'b')])
  await left(given, 3)
  const ofB = noting()
  const reader = await bus.replies(QUEUE).run(ofB.handler, { correlationId: 'b' })
  await ofB.has(2)(given)
  await left(given, 1)
  await reader.stop()
  expect(ofB.seen.map(({ reply }) => reply.correlationId)).toEqual(['b', 'b'])
  await pool.query(`update pgmq.q_${QUEUE} set enqueued_at = enqueued_at - interval '1 hour'`)
  await send(4)
  await left(given, 2)
  const old = noting()
  const late = await bus.replies(QUEUE).run(old.handler, { olderThanSeconds: 1_800 })
  await old.has(1)(given)
  await left(given, 1)
  await late.stop()
  expect(old.seen.map(({ reply }) => dataOf(reply))).toEqual([1])
})

test('F12: a reader makes its queue, stops with the bus, and makes the queue again when it was dropped', async () => {
  const given = await withWorker()
  const { pool, another, send } = given
  const own = another()
  const { handler, has } = noting()
  const reader = await own.replies(QUEUE).run(handler, { pollMs: 20, onError: () => {} })
  await pool.query('select pgmq.drop_queue($1)', [QUEUE])
  await given.until(
    async () => (await pool.query('select from pgmq.meta where queue_name = $1', [QUEUE])).rowCount,
    count => count === 1,
  )
  await send(1)
  await has(1)(given)
  await own.close()
  await reader.ended
})

test('G14, F12: a queue of commands has no readers of replies, and options that cannot be are refused', async () => {
  const { bus } = await createTestBus()
  expect(() => bus.replies('payments__commands')).toThrow(ReplyQueueRefusedError)
  expect(() => bus.replies('payments__commands')).toThrow(
    "queue: 'payments__commands' is for commands, not for replies",
  )
  expect(() => bus.replies('No queue')).toThrow(InvalidInputError)
  const refused: readonly (readonly [object, string])[] = [
    [{ concurrency: 0 }, 'concurrency: must be a whole number from 1 to 1000, not 0'],
    [{ visibilitySeconds: 0 }, 'visibilitySeconds: '],
    [{ olderThanSeconds: -1 }, 'olderThanSeconds: '],
    [{ correlationId: '' }, 'correlationId: '],
    [{ backoffSeconds: [] }, 'backoffSeconds: must be a list of numbers from 0 to 31536000, at least one'],
    [{ backoffSeconds: ['1'] }, 'backoffSeconds: '],
  ]
  for (const [options, message] of refused) {
    await expect(bus.replies(QUEUE).run(() => {}, options as ReplyReaderOptions)).rejects.toThrow(message)
  }
  await expect(bus.replies(QUEUE).run('x' as never)).rejects.toThrow('handler: must be a function')
})
