import { expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createCommandBus, defineHandler } from '../../../src/index.ts'
import { createTestBus, signal } from '../../support/bus.ts'
import { usersPool } from '../../support/database.ts'

/** Handlers that wait for each other: the first goes on when as many have begun as may run at once. */
const together = (count: number) => {
  const all = signal()
  let begun = 0
  return async (): Promise<void> => {
    if (++begun === count) all.resolve()
    await all.promise
  }
}

const ten = Array.from({ length: 10 }, (_, i) => i)

test('R3: transactional handlers on every connection of the pool get their reply queues, in their first attempt', async () => {
  const { bus, pool, until, work } = await createTestBus()
  const sent = await bus.sendBatch(
    'payments',
    ten.map(i => ({ commandType: 'Charge', data: {}, replyTo: `replies_${i}`, maxAttempts: 1 })),
  )
  const meet = together(8)
  await work({ domain: 'payments', handlers: { Charge: defineHandler({ transactional: true, handle: meet }) } })
  for (const { commandId } of sent) {
    const done = await until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'COMPLETED' || c?.status === 'IN_TROUBLESHOOTING_QUEUE',
    )
    expect(done).toMatchObject({ status: 'COMPLETED', totalAttempts: 1 })
  }
  for (const i of ten) expect((await pool.query(`select 1 from pgmq.q_replies_${i}`)).rowCount).toBe(1)
})

test.each([
  [2, 1],
  [10, 8],
])(
  'R3: on a pool of %i, %i transactional handlers at once send to new domains, and all complete',
  async (max, atOnce) => {
    const { bus, until, work } = await createTestBus({ maxConnections: max })
    const sent = await bus.sendBatch('payments', Array(10).fill({ commandType: 'Charge', data: {}, maxAttempts: 1 }))
    const meet = together(atOnce)
    await work({
      domain: 'payments',
      handlers: {
        Charge: defineHandler({
          transactional: true,
          handle: async (_, { command }) => {
            await meet()
            await bus.send(`after_${command.commandId.slice(0, 8)}`, 'Note', {})
          },
        }),
      },
    })
    for (const { commandId } of sent) {
      const done = await until(
        () => bus.getCommand('payments', commandId),
        c => c?.status === 'COMPLETED' || c?.status === 'IN_TROUBLESHOOTING_QUEUE',
      )
      expect(done).toMatchObject({ status: 'COMPLETED', totalAttempts: 1 })
    }
  },
)

test('R3: ten callers on the ten connections of a pool send in their transactions, to queues that do not exist yet', async () => {
  const { database, messages } = await createTestBus()
  const pool = usersPool({ connectionString: database.url, max: 10 })
  const bus = createCommandBus({ pool })
  await bus.ready()
  await Promise.all(
    ten.map(async i => {
      const client = await pool.connect()
      await client.query('begin')
      await bus.send(`domain_${i}`, 'Charge', {}, { client, replyTo: `replies_${i}` })
      await client.query('commit')
      client.release()
    }),
  )
  for (const i of ten) expect(await messages(`domain_${i}__commands`)).toHaveLength(1)
  await bus.close()
  await pool.end()
})

test('R3: a caller who made the queue in the same transaction does not wait for its own lock', async () => {
  const { bus, pool, messages } = await createTestBus()
  const client = await pool.connect()
  await client.query('begin')
  await client.query(`select pgmq.create('payments__commands')`)
  await bus.send('payments', 'Charge', {}, { client })
  await client.query('commit')
  client.release()
  expect(await messages('payments__commands')).toHaveLength(1)
})

test('R3: a worker reads, reports and extends its leases while others hold every connection of the pool', async () => {
  const { database, bus, until } = await createTestBus()
  const pool = usersPool({ connectionString: database.url, max: 3 })
  const own = createCommandBus({ pool })
  const { commandId } = await bus.send('payments', 'Charge', {})
  const worker = own.worker({
    domain: 'payments',
    leaseSeconds: 1,
    handlers: {
      Charge: async () => {
        const kept = async () =>
          (await database.pool.query(`select vt, now() + interval '1 s' as later from pgmq.q_payments__commands`))
            .rows[0]
        const first = await kept()
        await until(kept, ({ vt }) => vt > first.later)
      },
    },
  })
  await own.ready()
  const held = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
  await worker.start()
  const done = await until(
    () => bus.getCommand('payments', commandId),
    c => c?.status === 'COMPLETED',
  )
  expect(done?.totalAttempts).toBe(1)
  for (const client of held) client.release()
  await own.close()
  await pool.end()
})

test('R3: every call of the library completes on a pool of one connection: none needs a second one', async () => {
  const { database, bus: other, work } = await createTestBus()
  const pool = usersPool({ connectionString: database.url, max: 1 })
  const bus = createCommandBus({ pool })
  const client = await pool.connect()
  client.release()
  const fail = () => Promise.reject(new Error('no'))
  const parked = async () => {
    const { commandId } = await bus.send('payments', 'Fail', { amount: 1 }, { maxAttempts: 1, replyTo: 'replies' })
    for (;;) {
      const found = await bus.getCommand('payments', commandId)
      if (found?.status === 'IN_TROUBLESHOOTING_QUEUE') return commandId
    }
  }
  await work({ domain: 'payments', handlers: { Fail: fail } }, other)
  const ids = [await parked(), await parked(), await parked(), await parked()] as const
  const operator = { operator: 'jane' }
  const why = { ...operator, reason: 'as a test' }
  const caller = bus.as({ subject: 'jane', tenant: null, roles: ['ADMIN'] })
  const at = new Date().toISOString()
  const calls: Record<string, () => Promise<unknown>> = {
    send: () => bus.send('elsewhere', 'Charge', {}),
    sendBatch: () => bus.sendBatch('elsewhere', [{ commandType: 'Charge', data: {} }]),
    findCommand: () => bus.findCommand(ids[0]),
    queryCommands: () => bus.queryCommands({}),
    getAuditTrail: () => bus.getAuditTrail('payments', ids[0]),
    getHistory: () => bus.getHistory('payments', ids[0]),
    getCorrelation: () => bus.getCorrelation(ids[0]),
    list: () => bus.troubleshooting.list({ domain: 'payments' }),
    groups: () => bus.troubleshooting.groups({ domain: 'payments' }),
    listAt: () => bus.troubleshooting.listAt({ domain: 'payments', at }),
    rehearse: () => bus.troubleshooting.rehearse('payments', ids[0]).catch(() => {}),
    retry: () => bus.troubleshooting.retry('payments', ids[0], operator),
    cancel: () => bus.troubleshooting.cancel('payments', ids[1], why),
    complete: () => bus.troubleshooting.complete('payments', ids[2], operator),
    dryRun: () => bus.actions.dryRun({ action: 'retry', ...operator, filter: { domain: 'payments' } }),
    bulk: async () =>
      bus.actions.runOne(
        (await bus.actions.start({ action: 'retry', ...operator, filter: { domain: 'payments' } })).actionId,
      ),
    actions: () => bus.actions.list({}),
    operations: () => caller.operations.list({}),
    stats: () => caller.stats(),
    rebuild: () => bus.maintenance.rebuild(),
    verify: () => bus.maintenance.verify(),
    verifyLog: () => bus.maintenance.verifyLog(),
    grant: () => bus.credits.grant('admin', 't1', { pool: 'monthly', amount: 10, reason: 'plan' }),
    startRun: async () => {
      const principal = { subject: 'jane', tenant: 't1' }
      const { id } = await bus.runs.createTemplate(principal, { name: 'Summaries', creditsPerRun: 2 })
      await bus.runs.initiate(principal, { templateId: id, files: [{ fileName: 'a.pdf', input: {} }] })
    },
  }
  pool.options.connectionTimeoutMillis = 5_000
  for (const [name, call] of Object.entries(calls)) {
    const failed = await call().then(
      () => null,
      (error: Error) => error.message,
    )
    expect({ name, failed }).toEqual({ name, failed: null })
  }
  await bus.close()
  await pool.end()
})

test('R3: transactional handlers are refused on a pool without a second connection for their sends', async () => {
  const { another } = await createTestBus()
  const handlers = { Charge: defineHandler({ transactional: true, handle: () => null }) }
  expect(() => another({ maxConnections: 1 }).worker({ domain: 'payments', handlers })).toThrow(
    /maxConnections.*at least 2/,
  )
  const later = another({ maxConnections: 1 }).worker({ domain: 'payments' })
  expect(() => later.handle('Charge', handlers.Charge)).toThrow(/at least 2/)
  expect(() => another({ maxConnections: 0 })).toThrow(/maxConnections/)
})

test('R3: a concurrency that the pool cannot serve is logged once, at the start', async () => {
  const { database } = await createTestBus()
  const said: string[] = []
  const warn = (_: object, message: string) => void said.push(message)
  const bus = createCommandBus({ databaseUrl: database.url, log: { ...silentLog, warn } })
  const worker = bus.worker({
    domain: 'payments',
    concurrency: 100,
    handlers: { Charge: defineHandler({ transactional: true, handle: () => null }) },
  })
  await worker.start()
  expect(said.filter(message => message.includes('maxConnections'))).toEqual([
    '8 of the 100 handlers can be transactional at once: for all of them, raise maxConnections from 10 to 102',
  ])
  await bus.close()
})
