import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { verifyLog } from '../../../src/infrastructure/proof/verification/verify.ts'
import { until } from '../../support/bus.ts'
import { openLogBus, openParts, rowsOf } from '../../support/eventstoredb/bus.ts'
import { type Cut, cutClient } from '../../support/eventstoredb/cut-client.ts'

const charge = { commandType: 'Charge', data: { amount: 5 }, replyTo: 'replies' }
const handlers = { Charge: async () => 'paid' }
const messages = 'select msg_id, message from pgmq.q_payments__commands order by msg_id'

test('a command is sent, handled and answered, with the same rows and audit as on PostgreSQL', async () => {
  const parts = await openParts()
  const bus = openLogBus(parts)
  bus.catchUp.start()
  const commandId = randomUUID()
  expect(await bus.send('payments', { ...charge, commandId })).toMatchObject({
    outcome: 'accepted',
    sent: { msgId: null },
  })
  expect(await bus.send('payments', { ...charge, commandId })).toMatchObject({ outcome: 'duplicate' })
  const dispatched = await bus.catchUp.waitFor({ stream: `command-payments-${commandId}`, revision: 0 })
  expect(await bus.reader.get('payments', commandId)).toMatchObject({ status: 'PENDING' })
  const [message] = await rowsOf(parts.database.pool, messages)
  expect(dispatched).toEqual({ outcome: 'dispatched', msgId: message?.msg_id })
  await bus.work({ domain: 'payments', handlers })
  const done = await until(
    () => bus.reader.get('payments', commandId),
    found => found?.status === 'COMPLETED',
  )
  expect(done).toMatchObject({ result: 'paid', totalAttempts: 1 })
  const audit = await bus.reader.auditTrail('payments', commandId)
  expect(audit.map(({ eventType }) => eventType)).toEqual(['SENT', 'RECEIVED', 'COMPLETED'])
  expect(await rowsOf(parts.database.pool, 'select message from pgmq.q_replies')).toMatchObject([
    { message: { command_id: commandId, outcome: 'SUCCESS', result: 'paid' } },
  ])
  expect(await rowsOf(parts.database.pool, messages)).toEqual([])
})

test('after a kill between append and dispatch the next process dispatches the message, once', async () => {
  const parts = await openParts()
  const dead = openLogBus(parts)
  const commandId = randomUUID()
  await dead.send('payments', { ...charge, commandId })
  await dead.close()
  const bus = openLogBus(parts)
  expect(await rowsOf(parts.database.pool, 'select 1 from command_bus_event')).toEqual([])
  bus.catchUp.start()
  await bus.catchUp.waitFor({ stream: `command-payments-${commandId}`, revision: 0 })
  expect(await rowsOf(parts.database.pool, messages)).toHaveLength(1)
  expect(await bus.reader.get('payments', commandId)).toMatchObject({ status: 'PENDING' })
})

test.each<Cut>(['before commit', 'after commit'])(
  'every second append loses its connection %s: each effect happens once',
  async cut => {
    const parts = await openParts()
    const { pool } = parts.database
    let commits = 0
    const bus = openLogBus(parts, { newClient: () => cutClient(pool, () => (commits++ % 2 === 0 ? cut : null)) })
    bus.catchUp.start()
    const ids = Array.from({ length: 5 }, () => randomUUID())
    for (const commandId of ids) {
      await bus.send('payments', { ...charge, commandId })
      await bus.catchUp.waitFor({ stream: `command-payments-${commandId}`, revision: 0 })
    }
    expect(await rowsOf(pool, messages)).toHaveLength(ids.length)
    await bus.work({ domain: 'payments', handlers, concurrency: 1 })
    for (const commandId of ids) {
      await until(
        () => bus.reader.get('payments', commandId),
        found => found?.status === 'COMPLETED',
      )
      const audit = await bus.reader.auditTrail('payments', commandId)
      expect(audit.map(({ eventType }) => eventType)).toEqual(['SENT', 'RECEIVED', 'COMPLETED'])
    }
    const replies = await rowsOf(pool, `select message->>'command_id' as id from pgmq.q_replies`)
    expect(replies.map(({ id }) => id).sort()).toEqual([...ids].sort())
    expect(await rowsOf(pool, messages)).toEqual([])
    expect(commits).toBeGreaterThan(6)
    expect((await verifyLog(pool)).findings).toEqual([])
  },
)

test('a checkpoint that was set back is harmless: mirrored events have no second effect', async () => {
  const parts = await openParts()
  const { pool } = parts.database
  const first = openLogBus(parts)
  first.catchUp.start()
  const ids = Array.from({ length: 20 }, () => randomUUID())
  for (const commandId of ids) await first.send('payments', { ...charge, commandId })
  await until(
    async () => first.catchUp.health().applied,
    applied => applied === 20,
  )
  await first.close()
  const before = await rowsOf(pool, messages)
  await pool.query('delete from command_bus_checkpoint')
  const bus = openLogBus(parts)
  await bus.send('payments', { ...charge, commandId: ids[0] ?? '' })
  const later = randomUUID()
  await bus.send('payments', { ...charge, commandId: later })
  bus.catchUp.start()
  await bus.catchUp.waitFor({ stream: `command-payments-${later}`, revision: 0 })
  const after = await rowsOf(pool, messages)
  expect(after.slice(0, 20)).toEqual(before)
  expect(after).toHaveLength(21)
})

test('a new database gets rows and messages from the log, with message ids of its own queue', async () => {
  const parts = await openParts()
  const { pool } = parts.database
  const bus = openLogBus(parts)
  bus.catchUp.start()
  const ids = Array.from({ length: 6 }, () => randomUUID())
  for (const commandId of ids) await bus.send('payments', { ...charge, commandId })
  const worker = await bus.work({ domain: 'payments', handlers, concurrency: 2 })
  const statuses = 'select command_id, status, revision from command_bus_command order by command_id'
  const isDone = (rows: readonly Record<string, unknown>[]) =>
    rows.filter(row => row.status === 'COMPLETED').length === 6
  const before = await until(() => rowsOf(pool, statuses), isDone)
  await worker.stop()
  const open = randomUUID()
  await bus.send('payments', { ...charge, commandId: open })
  await bus.catchUp.stop()

  const { database } = await openParts()
  await database.pool.query('select 1')
  // the new queue has already given out message ids that the old one used for other messages
  await createQueueCatalog(database.pool).ensure(new Set(['payments__commands']))
  await database.pool.query(`select pgmq.send('payments__commands', '{"of": "somebody else"}')`)
  const fresh = openLogBus({ double: parts.double, database })
  fresh.catchUp.start()
  await fresh.catchUp.waitFor({ stream: `command-payments-${open}`, revision: 0 })
  expect((await rowsOf(database.pool, statuses)).filter(row => row.status === 'COMPLETED')).toEqual(before)
  expect((await rowsOf(database.pool, messages)).map(({ message }) => message)).toMatchObject([
    { of: 'somebody else' },
    { command_id: open },
  ])
})

test('large commands are split over transactions of a size that the database accepts', async () => {
  const parts = await openParts()
  const bus = openLogBus(parts, { timeoutMs: 10_000 })
  const large = { ...charge, data: 'x'.repeat(900_000) }
  for (let i = 0; i < 30; i++) await bus.send('payments', large)
  bus.catchUp.start()
  await until(
    async () => bus.catchUp.health().applied,
    applied => applied === 30,
  )
  const [found] = await rowsOf(
    parts.database.pool,
    'select count(distinct xid)::int as transactions, count(*)::int as events from command_bus_event',
  )
  expect(found?.events).toBe(30)
  expect(found?.transactions).toBeGreaterThan(2)
})

test('a wait for an event or a position works on a standby process, and ends at its time limit', async () => {
  const parts = await openParts()
  const [leader, standby] = [openLogBus(parts), openLogBus(parts)]
  leader.catchUp.start()
  await until(
    async () => leader.catchUp.health().state,
    state => state === 'following',
  )
  standby.catchUp.start()
  await until(
    async () => standby.catchUp.health().state,
    state => state === 'standby',
  )
  const commandId = randomUUID()
  await standby.send('payments', { ...charge, commandId })
  const stream = `command-payments-${commandId}`
  expect(await standby.catchUp.waitFor({ stream, revision: 0 })).toMatchObject({ outcome: 'dispatched' })
  const { position } = leader.catchUp.health()
  expect(await standby.catchUp.waitFor({ position: position as string })).toMatchObject({ outcome: 'dispatched' })
  expect(await standby.catchUp.waitFor({ stream, revision: 9 }, { timeoutMs: 60 })).toEqual({ outcome: 'late' })
  expect([leader, standby].map(bus => bus.catchUp.health().status)).toEqual(['healthy', 'healthy'])
})
