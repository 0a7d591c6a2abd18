import { expect, test } from 'vitest'
import { type CommandBus, createCommandBus, PermanentCommandError } from '../../../src/index.ts'
import { copyToEventStoreDb } from '../../../src/infrastructure/copy-log/to-eventstoredb.ts'
import { copyToPostgres } from '../../../src/infrastructure/copy-log/to-postgres.ts'
import { until } from '../../support/bus.ts'
import { closeAfterTest, openParts, rowsOf } from '../../support/eventstoredb/bus.ts'

const begin = async () => {
  const { double, database } = await openParts()
  const urls = { databaseUrl: database.url, eventStoreUrl: double.url }
  const open = (where: 'here' | 'there'): CommandBus => {
    const bus = createCommandBus({
      databaseUrl: database.url,
      ...(where === 'here' ? {} : { eventStoreUrl: double.url, waitForDispatchMs: 60_000 }),
    })
    closeAfterTest(bus.close)
    return bus
  }
  const look = (sql: string) => rowsOf(database.pool, sql)
  /** All that a copy must not change. */
  const traces = async () => ({
    rows: await look('select to_jsonb(c) as row from command_bus_command c order by domain, command_id'),
    audit: await look(
      'select stream, revision, event_type, actor from command_bus_audit order by stream, revision, audit_id',
    ),
    messages: await look('select msg_id, message from pgmq.q_payments__commands order by msg_id'),
    archived: await look('select msg_id, message from pgmq.a_payments__commands order by msg_id'),
    replies: await look('select msg_id, message from pgmq.q_replies order by msg_id'),
  })
  return { double, database, urls, open, look, traces }
}

const handlers = {
  Fine: () => 'done',
  Broken: () => {
    throw new PermanentCommandError('NO', 'never')
  },
}

/** Commands in every state to copy: completed, parked, and waiting. */
const someLives = async (bus: CommandBus, { waiting = 10 } = {}): Promise<string> => {
  const send = (commandType: string, count: number) =>
    bus.sendBatch(
      'payments',
      Array.from({ length: count }, (_, i) => ({ commandType, data: { i, text: 'ü €' }, replyTo: 'replies' })),
    )
  await send('Fine', 10)
  const [parked] = await send('Broken', 3)
  const worker = bus.worker({ domain: 'payments', handlers, pollMs: 50 })
  await worker.start()
  await until(
    async () =>
      (await bus.troubleshooting.list()).total + (await bus.queryCommands({ status: 'COMPLETED' })).items.length,
    ended => ended === 13,
  )
  await worker.stop()
  await send('Fine', waiting)
  return parked?.commandId ?? ''
}

test('a log moves to EventStoreDB and back: it is the same, work goes on, and nothing is sent again', async () => {
  const { urls, open, traces, double, look } = await begin()
  const before = open('here')
  const parked = await someLives(before)
  await before.close()
  const here = await traces()

  const copied = await copyToEventStoreDb(urls)
  expect(copied.streams).toBe(23)
  expect(double.log.all).toHaveLength(copied.events)
  expect(await traces()).toEqual(here)
  const wrong = open('here')
  await expect(wrong.ready()).rejects.toThrow(/set EVENTSTORE_URL/)
  await wrong.close()

  const there = open('there')
  await there.ready()
  expect(await there.maintenance.verify()).toEqual([])
  await there.troubleshooting.retry('payments', parked, { operator: 'jane', data: { i: 99 } })
  const worker = there.worker({ domain: 'payments', handlers: { '*': () => 'done' }, pollMs: 50 })
  await worker.start()
  await until(
    async () => (await there.queryCommands({ status: 'COMPLETED' })).items.length,
    n => n === 21,
  )
  await worker.stop()
  await there.send('payments', 'Fine', { last: true }, { replyTo: 'replies' })
  await there.close()
  const later = await traces()
  expect(later.replies).toHaveLength(21)
  expect(later.messages).toHaveLength(1)

  expect(await copyToPostgres(urls)).toMatchObject({ events: double.log.all.length, streams: 24 })
  expect(await traces()).toEqual(later)
  const back = open('here')
  expect(await back.maintenance.verify()).toEqual([])
  await back.send('payments', 'Fine', {})
  expect(await look('select from pgmq.q_payments__commands')).toHaveLength(2)
})

test('an interrupted copy goes on where it stopped', async () => {
  const { urls, open, double } = await begin()
  const bus = open('here')
  await bus.sendBatch(
    'payments',
    Array.from({ length: 1_100 }, () => ({ commandType: 'Fine', data: {} })),
  )
  await bus.close()
  const seen: number[] = []
  const broken = copyToEventStoreDb({
    ...urls,
    onProgress: ({ done }) => {
      seen.push(done)
      throw new Error('broken off')
    },
  })
  await expect(broken).rejects.toThrow('broken off')
  const appends = double.appends()
  double.dropAfterCommit(2)
  const phases: string[] = []
  const copied = await copyToEventStoreDb({ ...urls, onProgress: ({ phase, done }) => phases.push(`${phase} ${done}`) })
  expect(copied).toEqual({ events: 1_100, streams: 1_100 })
  expect(seen).toEqual([500])
  expect(phases.slice(0, 2)).toEqual(['copying 1000', 'copying 1100'])
  expect(double.appends() - appends).toBeLessThan(700)
  expect(double.log.all).toHaveLength(1_100)
})

test('O7, O10: an empty database is filled from EventStoreDB, with the messages of open commands, and with the declarations of the database before', async () => {
  const first = await begin()
  const bus = first.open('there')
  await someLives(bus, { waiting: 4 })
  await bus.search.declare({ commandType: 'Fine', paths: ['i', 'text'] })
  await bus.sensitive.add({ domain: 'payments', commandType: '*', path: 'text' })
  await bus.views.set({ subject: 'ann', tenant: null }, 'mine', { list: 'commands', filter: { domain: 'payments' } })
  await bus.alerts.set('ops', { url: 'https://hooks.example.com/x', secret: 'a-secret-of-this-test', on: 'groups' })
  await bus.close()
  const { database } = await openParts()
  const back = await copyToPostgres({ ...first.urls, databaseUrl: database.url, settingsFrom: first.urls.databaseUrl })
  expect(back.settings).toEqual({ searchable: 2, sensitive: 1, views: 1, alerts: 1 })
  const filled = createCommandBus({ databaseUrl: database.url })
  closeAfterTest(filled.close)
  expect((await filled.queryCommands({ payload: { path: 'i', value: '3' } })).items).toHaveLength(2)
  const caller = filled.as({ subject: 'olga', tenant: null, roles: ['OPERATOR'] })
  expect((await caller.queryCommands({})).items.length).toBeGreaterThan(0)
  const [one] = (await filled.queryCommands()).items
  expect(await caller.getCommand('payments', one?.commandId ?? '')).toMatchObject({ data: { text: '•••' } })
  expect(await filled.views.list({ subject: 'ann', tenant: null })).toMatchObject([{ name: 'mine' }])
  expect(await filled.alerts.get('ops')).toMatchObject({ url: 'https://hooks.example.com/x' })
  expect(await filled.maintenance.verify()).toEqual([])
  const statuses = 'select command_id, status, revision from command_bus_command order by command_id'
  expect(await rowsOf(database.pool, statuses)).toEqual(await first.look(statuses))
  expect(await rowsOf(database.pool, 'select from pgmq.q_payments__commands')).toHaveLength(4)
})

test('a target with other commands, a database in use, and one that was already moved are refused', async () => {
  const { urls, open, double, database } = await begin()
  const bus = open('here')
  await someLives(bus)
  await expect(copyToEventStoreDb(urls)).rejects.toThrow(/stop every service/)
  await bus.close()
  const kept = { id: '4f0c2a7e-0000-4000-8000-00000000000a', type: 'X', contentType: 'application/json' }
  const marked = { v: 1, at: '2026-01-01T00:00:00.000Z', actor: 'sender', context: {} }
  double.log.append('command-x-1', -1, [
    { ...kept, data: Buffer.from('{}'), metadata: Buffer.from(JSON.stringify(marked)) },
  ])
  await expect(copyToEventStoreDb(urls)).rejects.toThrow(/has a log already/)
  await expect(copyToPostgres(urls)).rejects.toThrow(/holds a log of its own/)

  await database.pool.query(`insert into command_bus_checkpoint (projection, position) values ('commands', '1/1')`)
  await expect(copyToEventStoreDb(urls)).rejects.toThrow(/already/)
})

test('a difference is found, and the database does not change', async () => {
  const { urls, open, double, look } = await begin()
  const bus = open('here')
  await someLives(bus)
  await bus.close()
  const copy = copyToEventStoreDb({
    ...urls,
    onProgress: ({ phase }) => {
      if (phase !== 'copying') return
      const [kept] = double.log.all as unknown as { data: Uint8Array }[]
      if (kept !== undefined) kept.data = Buffer.from('{"at":"tampered"}')
    },
  })
  await expect(copy).rejects.toThrow(/event 0 of 'command-payments-.*' is not the same/)
  expect(await look(`select from command_bus_checkpoint where projection = 'commands'`)).toEqual([])
  await open('here').ready()
})
