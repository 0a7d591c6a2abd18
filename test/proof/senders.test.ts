import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { StreamAppend } from '../../src/application/ports/event-store.ts'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import { createTestBus, logIsSeparate, until } from '../support/bus.ts'
import { createCommandStore, sending } from '../support/lives/command-store.ts'

const sender = { subject: 'mallory', roles: ['SENDER'] as const, tenant: null }
const odd: readonly unknown[] = [
  null,
  '',
  'null',
  '\u2028 \u202e "\\ {}',
  [],
  [[[]]],
  {},
  { data: null, command_id: randomUUID(), domain: 'other', outcome: 'SUCCESS' },
  { __proto__x: 1, 'a.b': { '': 0 } },
  0.1 + 0.2,
  -0,
  'x'.repeat(100_000),
]

describe.skipIf(logIsSeparate)('the work of a sender', () => {
  test('G4: causes no finding of verify: odd payloads, duplicates, cancels, replies to any queue', async () => {
    const { bus, work, until: seen } = await createTestBus()
    const caller = bus.as(sender)
    const ids: string[] = []
    for (const [i, data] of odd.entries()) {
      const commandId = randomUUID()
      ids.push(commandId)
      const command = {
        commandType: i % 3 === 0 ? 'Nobody.Handles' : 'Charge',
        data,
        commandId,
        maxAttempts: 1 + (i % 2),
      }
      await caller.send('payments', {
        ...command,
        replyTo: i % 2 === 0 ? '_' : `odd-${i}__replies_x`,
        correlationId: '\u202e"x',
      })
      await expect(caller.send('payments', { ...command, data: 'another' })).rejects.toMatchObject({
        code: 'DUPLICATE_COMMAND',
      })
      await caller.sendBatch('payments', [command, command, { commandType: 'Charge', data }])
    }
    const [first, second] = ids as [string, string]
    await caller.cancel('payments', first)
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
    await work({
      domain: 'payments',
      handlers: {
        Charge: data => {
          if (data === null || typeof data === 'number') throw new Error('no')
          return data
        },
      },
    })
    await seen(
      () => bus.queryCommands({ status: 'PENDING' }),
      ({ items }) => items.every(({ attempts }) => attempts > 0),
    )
    await caller.cancel('payments', second).catch(() => {})
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], counts: {}, truncated: false })
  })

  test('G4: nor do replies to queues of commands, which senders could name before, archived or not yet', async () => {
    const { bus, pool, work, messages } = await createTestBus()
    const store = createCommandStore(pool)
    await bus.send('other', 'Charge', null)
    for (const replyTo of ['payments__commands', 'other__commands', 'payments__commands', 'other__commands']) {
      await store.append([withReplyTo(sending('payments'), replyTo)])
    }
    const handlers = { Charge: () => 'done' }
    await work({ domain: 'payments', handlers })
    const kept = await until(
      () => bus.replies.undelivered(),
      ({ items }) => items.length === 4,
    )
    expect(kept.items.map(({ queue }) => queue).sort()).toEqual([
      ...Array(2).fill('other__commands'),
      ...Array(2).fill('payments__commands'),
    ])
    // as an older version delivered them
    await pool.query('select pgmq.send(u.queue, u.body) from command_bus_undelivered u')
    const isOver = async (queue: string, left: number) =>
      until(
        () => messages(queue),
        found => found.length === left,
      )
    await isOver('other__commands', 3)
    await isOver('payments__commands', 0)
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 4 })
    await work({ domain: 'other', handlers })
    await isOver('other__commands', 0)
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 4 })
    // a message whose command is in the log is not a stranger, not even on a queue of other programs
    const { msgId } = await bus.send('idle', 'Charge', null)
    await pool.query(
      `insert into command_bus_shared_queue (queue, since) values ('payments__commands', 'infinity'), ('idle__commands', 'infinity')`,
    )
    await pool.query(`update pgmq.q_idle__commands set message = '{}'`)
    await pool.query(`select pgmq.archive('idle__commands', $1::bigint)`, [msgId])
    const { findings } = await bus.maintenance.verifyLog()
    expect(findings.map(({ column, stream }) => [column, stream.slice(0, 13)])).toEqual([
      ['msg_id', 'command-idle-'],
      ['*', 'queue idle__c'],
    ])
  })

  test('G4: many findings of one kind are counted, and do not hide those of another kind', async () => {
    const { bus, pool } = await createTestBus()
    const sent = await bus.sendBatch(
      'payments',
      Array.from({ length: 40 }, () => ({ commandType: 'Charge', data: { amount: 1 } })),
    )
    for (let i = 0; i < 30; i++) await pool.query(`select pgmq.send('payments__commands', '{"by": "hand"}')`)
    await pool.query(`update command_bus_command set command_type = 'Other' where command_id = any ($1::uuid[])`, [
      sent.slice(0, 20).map(({ commandId }) => commandId),
    ])
    const client = await pool.connect()
    await client.query('set session_replication_role = replica')
    const changed = await client.query(
      `with last as (select stream from command_bus_event order by stream desc limit 1)
       update command_bus_event e set data = jsonb_set(data, '{data,amount}', '2') from last where e.stream = last.stream returning e.stream`,
    )
    client.release(true)
    const verified = await bus.maintenance.verifyLog({ limit: 5 })
    expect(verified.truncated).toBe(true)
    expect(verified.counts).toMatchObject({ event: 1, row: 20 })
    expect(verified.counts.message).toBeGreaterThanOrEqual(31)
    const of = (kind: string) => verified.findings.filter(one => one.kind === kind)
    expect([of('event').length, of('row').length, of('message').length]).toEqual([1, 5, 5])
    expect(of('event')).toMatchObject([{ stream: changed.rows[0].stream, column: 'hash' }])
  })
})

const withReplyTo = (append: StreamAppend<CommandEvent>, replyTo: string): StreamAppend<CommandEvent> => ({
  ...append,
  events: append.events.map(({ event, context, ...rest }) => ({
    ...rest,
    event: { ...event, replyTo } as CommandEvent,
    context: { ...context, replyTo },
  })),
})
