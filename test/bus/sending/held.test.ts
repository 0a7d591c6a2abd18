import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createTestBus, logIsSeparate, signal, until } from '../../support/bus.ts'

const ids = (count: number) => Array.from({ length: count }, () => randomUUID())

describe.skipIf(logIsSeparate)('a transaction that stays open', () => {
  test('G8: delays only sends of the same id; all other senders of the process and their connections go on', async () => {
    const { bus, pool } = await createTestBus({ maxConnections: 4 })
    await bus.send('payments', 'Charge', null)
    const held = ids(30)
    const holder = await pool.connect()
    await holder.query('begin')
    for (const commandId of held) await bus.send('payments', 'Charge', null, { commandId, client: holder })

    const waiting = held.map(commandId =>
      bus.send('payments', 'Charge', null, { commandId }).then(
        sent => sent.commandId,
        error => error.code,
      ),
    )
    let done = 0
    for (const one of waiting) void one.then(() => done++)
    // together with them, and then one after the other
    const others = ids(200)
    await Promise.all(others.map(commandId => bus.send('payments', 'Charge', null, { commandId })))
    for (let i = 0; i < 20; i++) await bus.send('refunds', 'Charge', null)
    expect((await bus.queryCommands({ limit: 500 })).items).toHaveLength(221)
    expect(done).toBe(0)

    await holder.query('commit')
    holder.release()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['DUPLICATE_COMMAND']))
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  })

  test('G8: frees the id when it rolls back; a send that waited too long fails with a reason', async () => {
    const { another, pool } = await createTestBus()
    const bus = another({ databaseTimeoutMs: 30_000 })
    const [commandId, late] = ids(2) as [string, string]
    await bus.send('payments', 'Charge', null)
    const holder = await pool.connect()
    await holder.query('begin')
    await bus.send('payments', 'Charge', null, { commandId, client: holder })
    await bus.send('payments', 'Charge', null, { commandId: late, client: holder })
    const hasty = another({ databaseTimeoutMs: 1_500 })
    await expect(hasty.send('payments', 'Charge', null, { commandId: late })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/locked by an open transaction.*nothing of this was stored/),
    })
    const waiting = bus.send('payments', 'Charge', { mine: true }, { commandId })
    await bus.send('payments', 'Charge', null)
    await holder.query('rollback')
    holder.release()
    expect((await waiting).commandId).toBe(commandId)
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ data: { mine: true } })
  })

  test('G8: delays only its own ids of a batch; the rest is sent, and neither other senders nor connections wait', async () => {
    const { bus, pool } = await createTestBus({ maxConnections: 4 })
    await bus.send('payments', 'Charge', null)
    const held = ids(4)
    const holder = await pool.connect()
    await holder.query('begin')
    for (const commandId of held) await bus.send('payments', 'Charge', null, { commandId, client: holder })
    const batches = held.map(commandId => {
      const commands = [...ids(20), commandId, ...ids(1_000), commandId].map(id => ({ commandId: id }))
      return commands.map(command => ({ ...command, commandType: 'Charge', data: null }))
    })
    let done = 0
    const waiting = batches.map(batch => bus.sendBatch('payments', batch).finally(() => done++))
    await until(
      () => pool.query('select count(*)::int as n from command_bus_command'),
      ({ rows }) => rows[0].n === 1 + 4 * 1_020,
    )
    for (let i = 0; i < 20; i++) await bus.send('refunds', 'Charge', null)
    expect(await bus.sendBatch('refunds', [{ commandType: 'Charge', data: null }])).toMatchObject([
      { outcome: 'accepted' },
    ])
    expect(done).toBe(0)
    await holder.query('rollback')
    holder.release()
    for (const results of await Promise.all(waiting)) {
      const outcomes = results.map(({ outcome }) => outcome)
      expect(outcomes).toEqual([...Array(1_021).fill('accepted'), 'duplicate'])
    }
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  })

  test('G8: a batch that waits too long reports what was sent, and can be sent again', async () => {
    const { another, pool } = await createTestBus()
    const bus = another({ databaseTimeoutMs: 1_500 })
    const [before, held, after] = ids(3) as [string, string, string]
    const batch = [before, held, after].map(commandId => ({ commandId, commandType: 'Charge', data: null }))
    await bus.send('payments', 'Charge', null)
    const holder = await pool.connect()
    await holder.query('begin')
    await bus.send('payments', 'Charge', null, { commandId: held, client: holder })
    const error = await bus.sendBatch('payments', batch).catch(thrown => thrown)
    expect(error).toMatchObject({
      code: 'BATCH_FAILED',
      results: [{ outcome: 'accepted' }, { outcome: 'unsent' }, { outcome: 'accepted' }],
      cause: { code: 'UNAVAILABLE', message: expect.stringContaining(held) },
    })
    await expect(bus.sendBatch('payments', [batch[1] as (typeof batch)[0]])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/locked by an open transaction.*nothing of this was stored/),
    })
    await holder.query('rollback')
    holder.release()
    const again = await bus.sendBatch('payments', batch)
    expect(again.map(({ outcome }) => outcome)).toEqual(['duplicate', 'accepted', 'duplicate'])
  })

  test('G8: delays those who need a queue that it makes or locks, and nobody else', async () => {
    const { bus, another, pool } = await createTestBus()
    await bus.send('payments', 'Charge', null)
    await bus.send('locked', 'Charge', null)
    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query(`select command_bus_make_queue('fresh__commands')`)
    await holder.query('lock table pgmq.q_locked__commands in access exclusive mode')
    const process = another()
    const waiting = ['fresh', 'locked', 'fresh', 'locked'].map(domain => process.send(domain, 'Charge', null))
    let done = 0
    for (const one of waiting) void one.then(() => done++)
    await Promise.all(ids(50).map(commandId => process.send('payments', 'Charge', null, { commandId })))
    expect(done).toBe(0)
    await holder.query('commit')
    holder.release()
    await Promise.all(waiting)
    expect((await bus.queryCommands({ domain: 'fresh' })).items).toHaveLength(2)
  })

  test('G8: delays the outcome of a command whose message it has locked, and of no other job of the worker', async () => {
    const { bus, pool, work } = await createTestBus()
    const began = signal()
    const go = signal()
    await work({
      domain: 'payments',
      concurrency: 10,
      handlers: {
        Held: async () => {
          began.resolve()
          await go.promise
          return 'done'
        },
        Charge: () => 'done',
      },
    })
    const held = await bus.send('payments', 'Held', null)
    await began.promise
    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query('select from pgmq.q_payments__commands where msg_id = $1 for update', [held.msgId])
    go.resolve()
    const others = ids(50)
    await Promise.all(others.map(commandId => bus.send('payments', 'Charge', null, { commandId })))
    await until(
      () => bus.queryCommands({ status: 'COMPLETED', limit: 200 }),
      ({ items }) => items.length === others.length,
    )
    expect(await bus.getCommand('payments', held.commandId)).not.toMatchObject({ status: 'COMPLETED' })
    await holder.query('rollback')
    holder.release()
    await until(
      () => bus.getCommand('payments', held.commandId),
      command => command?.status === 'COMPLETED',
    )
    expect((await bus.getCommand('payments', held.commandId))?.totalAttempts).toBe(1)
  })
})
