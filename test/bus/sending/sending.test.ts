import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DuplicateCommandError, InvalidInputError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'

describe('sending', () => {
  test('A13: a send writes row, message and audit together, and makes the queue at first use', async () => {
    const { bus, messages } = await createTestBus()
    const sent = await bus.send('pay.ments', 'Charge', { amount: 5 }, { replyTo: 'pay__replies', correlationId: 'c-1' })

    expect(await bus.getCommand('pay.ments', sent.commandId)).toMatchObject({
      status: 'PENDING',
      msgId: sent.msgId,
      attempts: 0,
      queueName: 'pay__ments__commands',
      replyTo: 'pay__replies',
      data: { amount: 5 },
    })
    const [message, ...others] = await messages('pay__ments__commands')
    expect(others).toEqual([])
    expect(message?.msg_id).toBe(sent.msgId)
    expect(message?.message).toEqual({
      command_id: sent.commandId,
      command_type: 'Charge',
      domain: 'pay.ments',
      correlation_id: 'c-1',
      reply_to: 'pay__replies',
      created_at: expect.stringMatching(/Z$/),
      data: { amount: 5 },
    })
    expect(await bus.getAuditTrail('pay.ments', sent.commandId)).toMatchObject([
      {
        eventType: 'SENT',
        actor: 'sender',
        revision: 0,
        details: {
          command_type: 'Charge',
          correlation_id: 'c-1',
          reply_to: 'pay__replies',
          msg_id: Number(sent.msgId),
        },
      },
    ])
  })

  test('A13: a message without reply_to leaves the member out', async () => {
    const { bus, messages } = await createTestBus()
    await bus.send('payments', 'Charge', null)
    expect((await messages('payments__commands'))[0]?.message).not.toHaveProperty('reply_to')
  })

  test("A13: a send in the caller's transaction commits and rolls back with it", async () => {
    const { bus, pool, messages, until } = await createTestBus()
    await pool.query('create table orders (id int)')
    const client = await pool.connect()

    await client.query('begin')
    await client.query('insert into orders values (1)')
    const lost = await bus.send('payments', 'Charge', { order: 1 }, { client })
    expect(await bus.getCommand('payments', lost.commandId)).toBeNull()
    await client.query('rollback')
    expect(await bus.getCommand('payments', lost.commandId)).toBeNull()
    expect(await messages('payments__commands')).toEqual([])

    await client.query('begin')
    await client.query('insert into orders values (2)')
    const kept = await bus.send('payments', 'Charge', { order: 2 }, { client })
    await client.query('commit')
    client.release()
    const found = await until(
      () => bus.getCommand('payments', kept.commandId),
      c => c !== null,
    )
    expect(found).toMatchObject({ status: 'PENDING' })
    expect(await messages('payments__commands')).toHaveLength(1)
    expect((await pool.query('select id from orders')).rows).toEqual([{ id: 2 }])
  })

  test("A13: workers are woken by a send in the caller's transaction when it commits, long before they would poll", {
    timeout: 45_000,
  }, async () => {
    const { bus, pool, work, another, until } = await createTestBus()
    const handled: unknown[] = []
    const handlers = { Charge: (data: unknown) => void handled.push(data) }
    // of another process: it gets no direct notification
    await work({ domain: 'payments', pollMs: 60_000, handlers }, another())
    const count = (n: number) =>
      until(
        async () => handled.length,
        length => length === n,
      )
    await bus.send('payments', 'Charge', 1)
    await count(1)

    const client = await pool.connect()
    await client.query('begin')
    for (const n of [2, 3]) await bus.send('payments', 'Charge', n, { client })
    await client.query('select 1')
    expect(handled).toEqual([1])
    await client.query('commit')
    await count(3)
    await client.query('begin')
    await bus.send('payments', 'Charge', 4, { client })
    await client.query('commit')
    client.release()
    await count(4)
    expect(client.listenerCount('drain')).toBe(0)
  })

  test("A14: a duplicate in the caller's transaction leaves that transaction usable", async () => {
    const { bus, pool, messages, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    const client = await pool.connect()
    await client.query('begin')
    await expect(bus.send('payments', 'Charge', {}, { commandId, client })).rejects.toThrow(DuplicateCommandError)
    await bus.send('payments', 'Refund', {}, { client })
    await client.query('commit')
    client.release()
    const sent = await until(
      () => messages('payments__commands'),
      found => found.length > 1,
    )
    expect(sent.map(m => m.message.command_type)).toEqual(['Charge', 'Refund'])
  })

  test('A14: the same id in the same domain is refused with the id and sends nothing, whatever its status', async () => {
    const { bus, messages, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', { n: 1 })
    const refusal = await bus.send('payments', 'Charge', { n: 2 }, { commandId }).catch(error => error)
    expect(refusal).toBeInstanceOf(DuplicateCommandError)
    expect(refusal.message).toContain(commandId)
    expect(await messages('payments__commands')).toHaveLength(1)

    await work({ domain: 'payments', handlers: { Charge: () => null } })
    await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    await expect(bus.send('payments', 'Charge', {}, { commandId })).rejects.toThrow(DuplicateCommandError)
    expect(await messages('payments__commands')).toEqual([])
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'COMPLETED', data: { n: 1 } })
  })

  test('A14: the same id in another domain is another command; upper case is the same id', async () => {
    const { bus } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    expect(await bus.send('billing', 'Charge', {}, { commandId })).toMatchObject({ domain: 'billing', commandId })
    expect(await bus.findCommand(commandId)).toMatchObject([{ domain: 'billing' }, { domain: 'payments' }])
    await expect(bus.send('payments', 'Charge', {}, { commandId: commandId.toUpperCase() })).rejects.toThrow(
      DuplicateCommandError,
    )
  })

  test('A14: 20 sends of one id at once make one command and one message', async () => {
    const { bus, another, messages } = await createTestBus()
    const commandId = randomUUID()
    const buses = [bus, another(), another(), another()]
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        (buses[i % 4] as typeof bus).send('payments', 'Charge', { i }, { commandId }),
      ),
    )
    expect(results.filter(r => r.status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(DuplicateCommandError)
    }
    expect(await messages('payments__commands')).toHaveLength(1)
  })

  test('A15: a correlation id may be any text and goes to row, message, audit and reply; the default is the id of the command', async () => {
    const { bus, messages, work, until } = await createTestBus()
    const correlationId = `order 7 / "quoted" 'x' ü €`
    const { commandId } = await bus.send('payments', 'Charge', {}, { correlationId, replyTo: 'replies' })
    expect((await messages('payments__commands'))[0]?.message.correlation_id).toBe(correlationId)
    await work({ domain: 'payments', handlers: { Charge: () => null } })
    const done = await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED',
    )
    expect(done?.correlationId).toBe(correlationId)
    expect((await messages('replies'))[0]?.message.correlation_id).toBe(correlationId)
    expect((await bus.getAuditTrail('payments', commandId))[0]?.details).toMatchObject({
      correlation_id: correlationId,
    })
    const sent = await bus.send('payments', 'Charge', {})
    expect(sent.correlationId).toBe(sent.commandId)
    const named = randomUUID()
    const batch = [{ commandType: 'Charge', data: {}, commandId: named.toUpperCase() }]
    expect(await bus.sendBatch('payments', batch)).toMatchObject([{ commandId: named }])
    expect(await bus.getCommand('payments', named)).toMatchObject({ correlationId: named })
    expect((await bus.getCorrelation(named)).items).toHaveLength(1)
    expect((await bus.queryCommands({ correlationId: named })).items).toMatchObject([{ commandId: named }])
    await expect(bus.send('payments', 'Charge', {}, { correlationId: 'x'.repeat(129) })).rejects.toThrow(/128/)
    await expect(bus.send('payments', 'Charge', {}, { correlationId: ' ' })).rejects.toThrow(/correlation id/)
  })

  // with the log in EventStoreDB these are 10,000 requests
  test('A16: a batch of 10,000 is sent, its duplicates reported one by one', { timeout: 240_000 }, async () => {
    const { bus, pool } = await createTestBus()
    const before = await bus.send('payments', 'Charge', {})
    const twice = randomUUID()
    const commands = Array.from({ length: 10_000 }, (_, i) => ({
      commandType: 'Charge',
      data: { i },
      ...(i === 7 ? { commandId: before.commandId } : {}),
      ...(i === 5 || i === 9_999 ? { commandId: twice } : {}),
    }))
    const results = await bus.sendBatch('payments', commands)
    expect(results).toHaveLength(10_000)
    expect(results.flatMap((r, i) => (r.outcome === 'duplicate' ? [i] : []))).toEqual([7, 9_999])
    const { rows } = await pool.query(
      `select count(*)::int as rows, count(q.msg_id)::int as matching
       from command_bus_command c left join pgmq.q_payments__commands q
         on q.msg_id = c.msg_id and q.message->>'command_id' = c.command_id::text`,
    )
    expect(rows[0]).toEqual({ rows: 9_999, matching: 9_999 })
    expect((await pool.query('select count(*)::int as n from pgmq.q_payments__commands')).rows[0].n).toBe(9_999)
  })

  test('A16: a batch with one bad command sends nothing and names the place', async () => {
    const { bus, pool } = await createTestBus()
    await bus.ready()
    const commands = [
      { commandType: 'Charge', data: {} },
      { commandType: 'no good', data: {} },
    ]
    await expect(bus.sendBatch('payments', commands)).rejects.toThrow(/commands\[1\]\.commandType/)
    const tooMany = Array.from({ length: 10_001 }, () => ({ commandType: 'Charge', data: {} }))
    await expect(bus.sendBatch('payments', tooMany)).rejects.toThrow(/at most 10000/)
    expect((await pool.query('select 1 from command_bus_event')).rowCount).toBe(0)
  })

  test.each([
    ['an upper-case domain', ['Payments', 'Charge', {}], /domain/],
    [
      "a domain that would break out of a table's name",
      ["a'; drop table command_bus_event; --", 'Charge', {}],
      /domain/,
    ],
    ['a domain whose queue name pgmq cannot hold', ['a'.repeat(38), 'Charge', {}], /47/],
    ['an id that is not a UUID', ['payments', 'Charge', {}, { commandId: 'abc' }], /UUID/],
    ['a reply queue pgmq would fold', ['payments', 'Charge', {}, { replyTo: 'Replies' }], /queue name/],
    ['data that JSON cannot hold', ['payments', 'Charge', { when: () => 1 }], /data\.when is a function/],
    ['data with a NUL character', ['payments', 'Charge', { text: 'a\u0000' }], /NUL/],
    ['data over 1 MiB', ['payments', 'Charge', 'x'.repeat(1_048_576)], /1 MiB/],
    ['no attempts', ['payments', 'Charge', {}, { maxAttempts: 0 }], /from 1 to 100/],
    ['too many attempts', ['payments', 'Charge', {}, { maxAttempts: 101 }], /from 1 to 100/],
    ['a negative wait', ['payments', 'Charge', {}, { backoffSeconds: [-1] }], /seconds/],
  ] as const)('bad input is refused in one sentence, nothing is sent: %s', async (_, args, sentence) => {
    const { bus, pool } = await createTestBus()
    await bus.ready()
    const refusal = await bus.send(...(args as unknown as Parameters<typeof bus.send>)).catch(error => error)
    expect(refusal).toBeInstanceOf(InvalidInputError)
    expect(refusal.message).toMatch(sentence)
    expect((await pool.query('select 1 from command_bus_event')).rowCount).toBe(0)
    expect((await pool.query('select 1 from pgmq.list_queues()')).rowCount).toBe(0)
  })
})
