import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { type CommandBusOptions, createCommandBus } from '../../../src/index.ts'
import { clientUrl, eventStoreHosts, isEventStoreUrl } from '../../../src/infrastructure/eventstoredb/connection/url.ts'
import { until } from '../../support/bus.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { closeAfterTest, openParts } from '../../support/eventstoredb/bus.ts'
import type { TestDouble } from '../../support/eventstoredb/server.ts'

const busOn = (database: TestDatabase, double: TestDouble, more: Partial<CommandBusOptions> = {}) => {
  const bus = createCommandBus({
    databaseUrl: database.url,
    eventStoreUrl: double.url,
    waitForDispatchMs: 60_000,
    eventStoreLimits: { probeMs: 50, standbyMs: 50, timeoutMs: 1_000, retryMs: 0 },
    ...more,
  })
  closeAfterTest(bus.close)
  return bus
}

const anotherDatabase = async (): Promise<TestDatabase> => {
  const database = await createTestDatabase()
  closeAfterTest(() => database.drop())
  return database
}

const plain = (type: string) => ({
  id: randomUUID(),
  type,
  contentType: 'application/json',
  data: Buffer.from('{"of":"somebody else"}'),
  metadata: Buffer.from('{}'),
})

test('R20: two installations with different prefixes use one EventStoreDB and see nothing of each other', async () => {
  const { double, database } = await openParts()
  const billing = busOn(database, double, { eventStorePrefix: 'billing_' })
  const crm = busOn(await anotherDatabase(), double, { eventStorePrefix: 'crm_' })
  const commandId = randomUUID()
  await billing.send('shop', 'Buy', { of: 'billing' }, { commandId })
  // the same id in the same domain, in another installation
  await crm.send('shop', 'Buy', { of: 'crm' }, { commandId })
  for (const [bus, of] of [
    [billing, 'billing'],
    [crm, 'crm'],
  ] as const) {
    await bus.worker({ domain: 'shop', pollMs: 20, handlers: { Buy: data => data } }).start()
    const done = await until(
      () => bus.getCommand('shop', commandId),
      command => command?.status === 'COMPLETED',
    )
    expect(done?.result).toEqual({ of })
    expect((await bus.queryCommands()).items).toHaveLength(1)
    expect((await bus.getAuditTrail('shop', commandId)).map(({ eventType }) => eventType)).toEqual([
      'SENT',
      'RECEIVED',
      'COMPLETED',
    ])
    expect(bus.follower?.health()).toMatchObject({ status: 'healthy', passedOver: 0 })
  }
})

test('R20: streams of other programs with similar names stop nothing', async () => {
  const { double, database } = await openParts()
  double.log.append('credits-42', -1, [plain('PointsEarned')])
  double.log.append('command-somewhere', -1, [plain('Ordered')])
  const bus = busOn(database, double)
  await bus.send('shop', 'Buy', {})
  double.log.append('credits-43', -1, [plain('PointsEarned')])
  double.log.append('workflow_run-7', -1, [plain('Started')])
  const { commandId } = await bus.send('shop', 'Buy', {})
  expect((await bus.getCommand('shop', commandId))?.status).toBe('PENDING')
  const health = await until(
    async () => bus.follower?.health(),
    seen => (seen?.passedOver ?? 0) >= 4,
  )
  expect(health).toMatchObject({ status: 'healthy', state: 'following', fault: null, passedOver: 4 })
})

test('R20: a database that mirrors one prefix is refused with another', async () => {
  const { double, database } = await openParts()
  const bus = busOn(database, double, { eventStorePrefix: 'billing_' })
  await bus.send('shop', 'Buy', {})
  await bus.close()
  await expect(busOn(database, double, { eventStorePrefix: 'crm_' }).ready()).rejects.toThrow(/billing_/)
  await expect(busOn(database, double).ready()).rejects.toThrow(/billing_/)
  await busOn(database, double, { eventStorePrefix: 'billing_' }).ready()
})

test.each(['a-b', '', '1st', 'x'.repeat(61), "a'b"])('R20: the prefix %j is refused in one sentence', async prefix => {
  const given = {
    databaseUrl: 'postgres://127.0.0.1/x',
    eventStoreUrl: 'esdb://127.0.0.1:2113',
    eventStorePrefix: prefix,
  }
  expect(() => createCommandBus(given)).toThrow(/eventStorePrefix: must be up to 60 letters, digits/)
})

test('R20: a prefix without an EventStoreDB is refused', () => {
  expect(() => createCommandBus({ databaseUrl: 'postgres://127.0.0.1/x', eventStorePrefix: 'a_' })).toThrow(
    /eventStorePrefix: goes with eventStoreUrl only/,
  )
})

test('R20: kurrentdb:// is accepted', async () => {
  const { double, database } = await openParts()
  const url = double.url.replace(/^esdb:/, 'kurrentdb:')
  expect(url).toMatch(/^kurrentdb:/)
  const bus = busOn(database, double, { eventStoreUrl: url })
  await expect(bus.send('shop', 'Buy', {})).resolves.toMatchObject({ status: 'PENDING' })

  const cluster = 'kurrentdb+discover://admin:secret@a.example.com,b.example.com:2114?tls=true&notOfTheClient=1'
  expect(isEventStoreUrl(cluster)).toBe(true)
  expect(clientUrl(cluster)).toBe('esdb+discover://admin:secret@a.example.com,b.example.com:2114?tls=true')
  expect(eventStoreHosts(cluster)).toBe('a.example.com,b.example.com:2114')
})

test('R20: a hundred commands that are too large for the log do not delay others, and health names them', async () => {
  const { double, database } = await openParts({ maxAppendBytes: 16 * 1024 })
  const bus = busOn(database, double)
  await bus.ready()
  const inTransaction = async (data: readonly unknown[]): Promise<readonly string[]> => {
    const client = await database.pool.connect()
    await client.query('begin')
    const sent = await bus.sendBatch(
      'shop',
      data.map(one => ({ commandType: 'Buy', data: one })),
      { client },
    )
    await client.query('commit')
    client.release()
    return sent.map(({ commandId }) => commandId)
  }
  const large = await inTransaction(Array.from({ length: 100 }, () => ({ text: 'x'.repeat(20_000) })))
  const [small] = await inTransaction([{ text: 'small' }])
  await until(
    () => bus.getCommand('shop', small ?? ''),
    command => command !== null,
  )
  const health = await until(
    async () => bus.follower?.health(),
    seen => seen?.setAside === 100,
  )
  expect(health?.status).toBe('degraded')
  expect(health?.reasons.join()).toContain('100 commands sent in transactions wait, as EventStoreDB refuses them')
  expect(health?.reasons.join()).toContain(`delete from command_bus_intent where stream = 'command-shop-${large[0]}'`)
})
