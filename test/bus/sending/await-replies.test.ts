import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import type { ReplyMessages } from '../../../src/application/ports/replies.ts'
import { createReplyMessages } from '../../../src/infrastructure/postgres/queue/reply-messages.ts'
import { createAwaitReplies } from '../../../src/infrastructure/replies/await-replies.ts'
import { createTestBus, until } from '../../support/bus.ts'

const QUEUE = 'shop__requests'

/** Requests on a real queue, without the rest of the bus, with a count of the statements. */
const awaiting = async () => {
  const { bus, pool, messages: onQueue } = await createTestBus()
  await bus.ready()
  await pool.query('select pgmq.create($1)', [QUEUE])
  const statements = { head: 0, ofCommands: 0, remove: 0 }
  const real = createReplyMessages(pool)
  const counted = (name: keyof typeof statements) =>
    ((...args: never[]) => {
      statements[name]++
      return (real[name] as (...args: never[]) => unknown)(...args)
    }) as never
  const messages: Pick<ReplyMessages, 'head' | 'ofCommands' | 'remove'> = {
    head: counted('head'),
    ofCommands: counted('ofCommands'),
    remove: counted('remove'),
  }
  const wakes = new Set<() => void>()
  const listen = (_: string, wake: () => void) => {
    wakes.add(wake)
    return () => void wakes.delete(wake)
  }
  const bell = { listen, rings: () => true }
  const replies = createAwaitReplies({ messages, bell, log: silentLog })
  const put = async (commandIds: readonly string[]): Promise<void> => {
    const bodies = commandIds.map(id => ({ command_id: id, domain: 'payments', outcome: 'SUCCESS', data: id }))
    await pool.query('select pgmq.send_batch($1::text, $2::jsonb[])', [QUEUE, bodies])
  }
  const ring = (): void => {
    for (const wake of [...wakes]) wake()
  }
  return { pool, replies, statements, put, ring, wakes, left: () => onQueue(QUEUE) }
}

test('F12: 1,000 requests at once share a few statements', async () => {
  const { replies, statements, put, ring, wakes, left } = await awaiting()
  const ids = Array.from({ length: 1_000 }, () => randomUUID())
  const awaited = await Promise.all(ids.map(id => replies.awaitReply(QUEUE, 'payments', id)))
  expect(wakes.size).toBe(1)
  await put(ids)
  const before = statements.ofCommands
  ring()
  const answers = await Promise.all(awaited.map(({ reply }) => reply))
  expect(answers.map(reply => reply.outcome === 'SUCCESS' && reply.data)).toEqual(ids)
  expect(statements.head).toBe(1)
  // a page has 500 replies
  expect(statements.ofCommands - before).toBeLessThanOrEqual(5)
  await until(left, ({ length }) => length === 0)
  expect(statements.remove).toBeLessThanOrEqual(5)
  // nobody waits, so nothing reads or listens any more
  await until(
    async () => wakes.size,
    size => size === 0,
  )
})

test('F12: a later request passes over the replies that were there before, and a request that ended leaves its reply', async () => {
  const { pool, replies, put, ring, left } = await awaiting()
  const [early, ended, next] = [randomUUID(), randomUUID(), randomUUID()] as const
  await put([early])
  const first = await replies.awaitReply(QUEUE, 'payments', ended)
  const second = await replies.awaitReply(QUEUE, 'payments', next)
  // sent again with its old id: the reply of that time is not the one it waits for
  const again = await replies.awaitReply(QUEUE, 'payments', early)
  first.end()
  await put([ended, next])
  ring()
  expect((await second.reply).commandId).toBe(next)
  await until(left, ({ length }) => length === 2)
  await put([early])
  ring()
  expect((await again.reply).commandId).toBe(early)
  const ids = (await until(left, ({ length }) => length === 2)).map(({ message }) => message.command_id)
  expect(ids).toEqual([early, ended])
  await pool.query('select pgmq.drop_queue($1)', [QUEUE])
  await pool.query('select pgmq.create($1)', [QUEUE])
  await replies.close()
})
