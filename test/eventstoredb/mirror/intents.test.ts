import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createCommandBus, DuplicateCommandError } from '../../../src/index.ts'
import { until } from '../../support/bus.ts'
import { closeAfterTest, openParts, rowsOf } from '../../support/eventstoredb/bus.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

const script = fileURLToPath(new URL('./sender-child.mjs', import.meta.url))

const begin = async () => {
  const parts = await openParts()
  const open = () => {
    const bus = createCommandBus({
      databaseUrl: parts.database.url,
      eventStoreUrl: parts.double.url,
      waitForDispatchMs: 60_000,
      eventStoreLimits: { probeMs: 50, standbyMs: 50, timeoutMs: 1_000, retryMs: 0 },
    })
    closeAfterTest(bus.close)
    return bus
  }
  return { ...parts, pool: parts.database.pool, open }
}

const intents = 'select stream, appended_at from command_bus_intent'
const messages = `select message->>'command_id' as id from pgmq.q_payments__commands order by msg_id`

test('a send that commits in a caller’s transaction while the log is away is relayed when the log is back', async () => {
  const { open, pool, double } = await begin()
  const bus = open()
  await bus.ready()
  const ids = Array.from({ length: 20 }, () => randomUUID())
  double.fail()
  const client = await pool.connect()
  await client.query('begin')
  await bus.sendBatch(
    'payments',
    ids.map(commandId => ({ commandId, commandType: 'Charge', data: {} })),
    { client },
  )
  await expect(bus.send('payments', 'Charge', {}, { commandId: ids[3] ?? '', client })).rejects.toThrow(
    DuplicateCommandError,
  )
  await client.query('commit')
  client.release()
  expect(await rowsOf(pool, intents)).toHaveLength(ids.length)
  double.heal()
  await until(
    () => rowsOf(pool, intents),
    left => left.length === 0,
  )
  expect((await rowsOf(pool, messages)).map(({ id }) => id).sort()).toEqual([...ids].sort())
  await expect(bus.send('payments', 'Charge', {}, { commandId: ids[5] ?? '' })).rejects.toThrow(DuplicateCommandError)
})

test('an append that was committed but not answered counts once', async () => {
  const { open, pool, double } = await begin()
  const bus = open()
  await bus.ready()
  const client = await pool.connect()
  double.dropAfterCommit(3)
  const sent = []
  for (let i = 0; i < 5; i++) sent.push(await bus.send('payments', 'Charge', { i }, { client }))
  client.release()
  await until(
    () => rowsOf(pool, 'select from command_bus_command'),
    rows => rows.length === sent.length,
  )
  await until(
    () => rowsOf(pool, intents),
    left => left.length === 0,
  )
  const expected = sent.map(({ commandId }) => commandId).sort()
  expect((await rowsOf(pool, messages)).map(({ id }) => id).sort()).toEqual(expected)
  expect(double.log.all).toHaveLength(sent.length)
})

test('of two sends of one id, in a transaction and outside, one counts, and nothing is left over', async () => {
  const { open, pool } = await begin()
  const bus = open()
  const commandId = randomUUID()
  const client = await pool.connect()
  await client.query('begin')
  await bus.send('payments', 'Charge', { within: true }, { commandId, client })
  await bus.send('payments', 'Charge', { within: false }, { commandId })
  await client.query('commit')
  client.release()
  await until(
    () => rowsOf(pool, intents),
    left => left.length === 0,
  )
  expect(await bus.getCommand('payments', commandId)).toMatchObject({ data: { within: false } })
  expect(await rowsOf(pool, messages)).toHaveLength(1)
})

const spawnSender = async (databaseUrl: string, eventStoreUrl: string): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [script, compiledSource(), databaseUrl, eventStoreUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  closeAfterTest(() => void child.kill('SIGKILL'))
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
  return child
}

test('kill -9 of senders at any moment: every order that was committed has its command and its message, once', async () => {
  const { open, pool, database, double } = await begin()
  await pool.query('create table orders (id uuid)')
  const orders = async () => (await rowsOf(pool, 'select id from orders')).length
  for (let killed = 0, before = 0; killed < 3; killed++) {
    const sender = await spawnSender(database.url, double.url)
    const from = before
    before = await until(orders, n => n > from + 5)
    const gone = once(sender, 'exit')
    sender.kill('SIGKILL')
    await gone
  }
  await open().ready()
  await until(
    () => rowsOf(pool, intents),
    left => left.length === 0,
  )
  const expected = (await rowsOf(pool, 'select id from orders')).map(({ id }) => id).sort()
  const found = await rowsOf(pool, 'select command_id as id from command_bus_command')
  expect(found.map(({ id }) => id).sort()).toEqual(expected)
  expect((await rowsOf(pool, messages)).map(({ id }) => id).sort()).toEqual(expected)
  expect(double.log.all).toHaveLength(expected.length)
})
