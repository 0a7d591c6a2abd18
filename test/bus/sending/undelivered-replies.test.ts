import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { openLog } from '../../../src/compose/open-log.ts'
import type { CommandSent } from '../../../src/domain/command/events.ts'
import { commandStream } from '../../../src/domain/command/names.ts'
import { defaultRetryPolicy } from '../../../src/domain/command/retry-policy.ts'
import { defineHandler, type Handler } from '../../../src/index.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { createReplyQueues } from '../../../src/infrastructure/postgres/queue/reply-queues.ts'
import { clientLike } from '../../../src/infrastructure/postgres/transactions/pool.ts'
import { busProjections } from '../../../src/projections/bus-projections.ts'
import { createTestBus, logIsSeparate, type TestBus } from '../../support/bus.ts'

const jane = { operator: 'jane@example.com' }

/** Appends a command that an older version accepted: its reply goes to any queue. */
const sendAsBefore = async ({ pool, log }: TestBus, replyTo: string, tenantId: string | null = null) => {
  const catalog = createQueueCatalog(pool)
  const { store, close } = openLog({
    queuesAwaited: undefined,
    eventStoreUrl: log.eventStoreUrl,
    eventStorePrefix: undefined,
    pool,
    workerPool: pool,
    newClient: () => clientLike(pool),
    projections: busProjections({ onSuccess: 'delete' }),
    ensureQueues: catalog.ensure,
    replyQueues: createReplyQueues(catalog),
    onFilled: () => {},
    log: silentLog,
    limits: log.eventStoreLimits,
  })
  const commandId = randomUUID()
  const event: CommandSent = {
    type: 'CommandSent',
    commandType: 'Charge',
    data: {},
    correlationId: 'c',
    causationId: null,
    replyTo,
    tenantId,
    ownerId: null,
    parentCommandId: null,
    retryCount: 0,
    policy: defaultRetryPolicy,
    at: new Date().toISOString(),
    actor: 'sender',
  }
  const context = { commandType: 'Charge', correlationId: 'c', causationId: null, replyTo, tenantId }
  const stream = commandStream({ domain: 'payments', commandId })
  await store.append([{ stream, expected: 'none', events: [{ id: randomUUID(), event, context }] }])
  await close()
  return commandId
}

/** Drops the queue and prevents it from being made again. */
const spoil = async ({ pool }: TestBus, queue: string): Promise<void> => {
  await pool.query('select pgmq.drop_queue($1)', [queue])
  await pool.query(`create view pgmq.q_${queue} as select 1 as nothing`)
}

const mend = async ({ pool }: TestBus, queue: string): Promise<void> => {
  await pool.query(`drop view pgmq.q_${queue}`)
}

const statusOf = ({ bus, until }: TestBus, commandId: string, status: string) =>
  until(
    () => bus.getCommand('payments', commandId),
    command => command?.status === status,
  )

/** A handler that counts how often it ran. */
const counting = () => {
  const runs: string[] = []
  const handle: Handler = (_, { command }) => void runs.push(command.commandId)
  return { runs, handlers: { Charge: handle } }
}

const kept = ({ bus, until }: TestBus, count: number) =>
  until(
    async () => (await bus.replies.undelivered()).items,
    items => items.length === count,
  )

const unusable = ['a--b', 'payments__commands_vt_idx', 'demo__commands', 'payments__commands', 'X$y', 'y'.repeat(60)]

test.each(unusable)(
  'G1: a reply to %s, as older events name it, is kept, and its command is completed once',
  async queue => {
    const given = await createTestBus()
    const { bus, until } = given
    await bus.ready()
    const { runs, handlers } = counting()
    await given.work({ domain: 'payments', handlers })
    const commandId = await sendAsBefore(given, queue, 't1')
    await statusOf(given, commandId, 'COMPLETED')
    // others go on, also those that come with it
    const { commandId: next } = await bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
    await statusOf(given, next, 'COMPLETED')
    await until(
      () => given.messages('replies'),
      ({ length }) => length === 1,
    )
    expect(runs).toEqual([commandId, next])
    expect(await kept(given, 1)).toMatchObject([
      { commandId, domain: 'payments', tenantId: 't1', queue, tries: 1, deliveredAt: null },
    ])
    expect(await given.messages('payments__commands')).toEqual([])
    expect(await given.messages('demo__commands')).toEqual([])
  },
)

test('G1: an operator completes and cancels commands whose replies cannot be delivered', async () => {
  const given = await createTestBus()
  const { bus, until } = given
  await bus.ready()
  const ids = [await sendAsBefore(given, 'a--b'), await sendAsBefore(given, 'a--b')] as const
  const canceled = await sendAsBefore(given, 'demo__commands')
  await until(
    () => bus.getCommand('payments', canceled),
    command => command !== null,
  )
  await bus.cancel('payments', canceled)
  const worker = await given.work({
    domain: 'payments',
    handlers: {
      Charge: () => {
        throw new Error('no')
      },
    },
    mapError: () => ({ type: 'PERMANENT', code: 'NO', message: 'no' }),
  })
  for (const id of ids) await statusOf(given, id, 'IN_TROUBLESHOOTING_QUEUE')
  await worker.stop()
  await bus.troubleshooting.complete('payments', ids[0], { ...jane, resultData: { by: 'hand' } })
  await bus.troubleshooting.cancel('payments', ids[1], { ...jane, reason: 'no' })
  expect((await kept(given, 3)).map(({ commandId }) => commandId).sort()).toEqual([...ids, canceled].sort())
  for (const [id, status] of [
    [ids[0], 'COMPLETED'],
    [ids[1], 'CANCELED'],
    [canceled, 'CANCELED'],
  ] as const) {
    await statusOf(given, id, status)
  }
  const { findings } = await bus.maintenance.verifyLog()
  expect(findings).toEqual([])
})

describe('G1: a queue that is gone', () => {
  test('is made again, and gets the reply', async () => {
    const given = await createTestBus()
    const { commandId } = await given.bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
    await given.pool.query(`select pgmq.drop_queue('replies')`)
    await given.work({ domain: 'payments', handlers: counting().handlers })
    await statusOf(given, commandId, 'COMPLETED')
    await given.until(
      () => given.messages('replies'),
      ({ length }) => length === 1,
    )
    expect((await given.bus.replies.undelivered()).items).toEqual([])
  })

  test('that cannot be made again: replies are kept, and 20 operators who deliver them at once deliver each once', async () => {
    const given = await createTestBus()
    const { bus } = given
    const sent = await bus.sendBatch(
      'payments',
      Array(30).fill({ commandType: 'Charge', data: {}, replyTo: 'replies' }),
    )
    const { commandId: other } = await bus.send('payments', 'Charge', {}, { replyTo: 'elsewhere' })
    await spoil(given, 'replies')
    const { runs, handlers } = counting()
    await given.work({ domain: 'payments', handlers })
    await given.until(
      async () => runs.length,
      length => length >= 31,
    )
    await given.until(
      () => given.messages('elsewhere'),
      ({ length }) => length === 1,
    )
    expect(await kept(given, 30)).toHaveLength(30)
    expect([...runs].sort()).toEqual([other, ...sent.map(({ commandId }) => commandId)].sort())

    const tooEarly = await bus.replies.deliverAgain({ ...jane, limit: 1 })
    expect(tooEarly).toMatchObject({ delivered: 0, failed: [{ queue: 'replies', reason: expect.stringMatching(/./) }] })
    await mend(given, 'replies')
    const asked = await Promise.all(
      Array.from({ length: 20 }, () => bus.replies.deliverAgain({ ...jane, queue: 'replies' })),
    )
    expect(asked.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(30)
    const replies = await given.messages('replies')
    expect(replies.map(({ message }) => message.command_id).sort()).toEqual(
      sent.map(({ commandId }) => commandId).sort(),
    )
    expect(replies[0]?.message).toMatchObject({ outcome: 'SUCCESS', type: 'ChargeResponse' })
    expect((await bus.replies.undelivered()).items).toEqual([])
    const { items } = await bus.replies.undelivered({ delivered: true })
    expect(items).toHaveLength(30)
    for (const item of items) {
      expect(item).toMatchObject({
        deliveredBy: jane.operator,
        deliveredTo: 'replies',
        deliveredAt: expect.any(String),
      })
    }
  })
})

test('G1: a reply is kept when the right to its queue was revoked', async () => {
  const given = await createTestBus()
  const { commandId } = await given.bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
  await given.pool.query(`create function pgmq.refuse() returns trigger language plpgsql as
      $$ begin raise exception 'permission denied' using errcode = 'insufficient_privilege'; end $$;
    create trigger refuse before insert on pgmq.q_replies for each row execute function pgmq.refuse()`)
  const { runs, handlers } = counting()
  await given.work({ domain: 'payments', handlers })
  expect(await kept(given, 1)).toMatchObject([{ commandId, queue: 'replies', reason: 'permission denied' }])
  await statusOf(given, commandId, 'COMPLETED')
  expect(runs).toEqual([commandId])
})

test('G1: a reply to a name that cannot be a queue is delivered to another queue', async () => {
  const given = await createTestBus()
  const { bus } = given
  await bus.ready()
  const commandId = await sendAsBefore(given, 'demo__commands')
  await given.work({ domain: 'payments', handlers: counting().handlers })
  const [reply] = await kept(given, 1)
  expect(await bus.replies.deliverAgain(jane)).toMatchObject({ delivered: 0, failed: [{ replyId: reply?.replyId }] })
  await expect(bus.replies.deliverAgain({ ...jane, to: 'demo__commands' })).rejects.toThrow('for commands')
  const replyIds = [reply?.replyId ?? '']
  expect(await bus.replies.deliverAgain({ ...jane, to: 'rescued', replyIds })).toEqual({ delivered: 1, failed: [] })
  expect(await given.messages('rescued')).toMatchObject([{ message: { command_id: commandId } }])
  expect((await bus.replies.undelivered({ delivered: true })).items).toMatchObject([
    { queue: 'demo__commands', deliveredTo: 'rescued', tries: 3 },
  ])
})

test.skipIf(logIsSeparate)(
  'G1: a transactional handler commits once, whether or not its reply can be delivered',
  async () => {
    const given = await createTestBus()
    await given.pool.query('create table paid (id uuid)')
    const ids = await Promise.all(
      ['replies', 'others'].map(
        async replyTo => (await given.bus.send('payments', 'Charge', {}, { replyTo })).commandId,
      ),
    )
    await spoil(given, 'replies')
    await given.pool.query(`select pgmq.drop_queue('others')`)
    await given.work({
      domain: 'payments',
      handlers: {
        Charge: defineHandler({
          transactional: true,
          handle: async (_, { client, command }) => {
            await client?.query('insert into paid values ($1)', [command.commandId])
          },
        }),
      },
    })
    for (const id of ids) await statusOf(given, id, 'COMPLETED')
    expect((await given.pool.query('select id from paid order by id')).rows.map(({ id }) => id)).toEqual(
      [...ids].sort(),
    )
    expect(await kept(given, 1)).toMatchObject([{ queue: 'replies' }])
    expect(await given.messages('others')).toHaveLength(1)
  },
)

describe('G1: a reply queue is made when its command is sent', () => {
  const isThere = async ({ pool }: TestBus, queue: string) =>
    (await pool.query('select from pgmq.meta where queue_name = $1', [queue])).rowCount === 1

  test('by a single send, in a batch, and within a transaction of the caller', async () => {
    const given = await createTestBus()
    const { bus, pool } = given
    await bus.send('payments', 'Charge', {}, { replyTo: 'one' })
    await bus.sendBatch('payments', [
      { commandType: 'Charge', data: {}, replyTo: 'two' },
      { commandType: 'Charge', data: {}, replyTo: 'three' },
    ])
    const client = await pool.connect()
    await client.query('begin')
    await bus.send('payments', 'Charge', {}, { replyTo: 'four', client })
    await client.query('rollback')
    client.release()
    for (const queue of ['one', 'two', 'three', 'four'])
      expect([queue, await isThere(given, queue)]).toEqual([queue, true])
  })

  test('and a queue that cannot be made refuses the command', async () => {
    const given = await createTestBus()
    const { bus, pool } = given
    await bus.ready()
    await pool.query('create view pgmq.q_taken as select 1 as nothing')
    const refused = {
      code: 'REPLY_QUEUE_REFUSED',
      message: expect.stringMatching(/'taken' cannot be made .*nothing was sent/),
    }
    await expect(bus.send('payments', 'Charge', {}, { replyTo: 'taken' })).rejects.toMatchObject(refused)
    await expect(
      bus.sendBatch('payments', [{ commandType: 'Charge', data: {}, replyTo: 'taken' }]),
    ).rejects.toMatchObject(refused)
    const client = await pool.connect()
    await expect(bus.send('payments', 'Charge', {}, { replyTo: 'taken', client })).rejects.toMatchObject(refused)
    client.release()
    expect((await bus.queryCommands()).items).toEqual([])
  })
})
