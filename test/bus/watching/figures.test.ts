import { expect, test } from 'vitest'
import { InvalidInputError, PermanentCommandError } from '../../../src/index.ts'
import { sampleQueues } from '../../../src/infrastructure/postgres/figures/count-figures.ts'
import { createTestBus, signal } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { countAll } from '../../support/watching/counted-by-hand.ts'

test('O8: what waits, runs and is due later is shown by type, beside what was counted', async () => {
  const testBus = await createTestBus()
  const { bus, work, until } = testBus
  const begun = signal()
  const goOn = signal()
  await bus.send('payments', 'Later', {}, { delaySeconds: 3_600 })
  await work({
    domain: 'payments',
    concurrency: 1,
    handlers: {
      Charge: async () => {
        begun.resolve()
        await goOn.promise
        return null
      },
    },
  })
  await bus.send('payments', 'Charge', {})
  await begun.promise
  await until(
    () => bus.queryCommands({ status: 'IN_PROGRESS' }),
    ({ items }) => items.length === 1,
  )
  await bus.send('payments', 'Charge', {})
  await countAll(testBus.pool)
  const { items, series, total, behindSeconds } = await bus.figures.types({ range: '1h', domain: 'payments' })
  expect(items).toMatchObject([
    { commandType: 'Charge', sent: 2, attempts: 1, running: 1, waiting: 1, scheduled: 0, failureShare: null },
    { commandType: 'Later', sent: 1, attempts: 0, running: 0, waiting: 0, waitingSince: null, scheduled: 1 },
  ])
  expect([total, behindSeconds, series.length]).toEqual([2, 0, 60])
  expect(series.reduce((sum, { sent }) => sum + sent, 0)).toBe(3)
  expect((await bus.figures.types({ range: '7d', commandType: 'Later' })).items).toHaveLength(1)
  expect((await bus.figures.types({ domain: 'nowhere' })).items).toEqual([])
  await expect(bus.figures.types({ range: '2h' as never })).rejects.toThrow(InvalidInputError)
  goOn.resolve()
})

test('O8: queues show what is ready, in flight, delayed and held, how fast messages come and go, and what nobody reads', async () => {
  const testBus = await createTestBus()
  const { bus, pool } = testBus
  await bus.send('payments', 'Charge', {}, { replyTo: 'shop__replies' })
  await sampleQueues(pool, pool)
  await pool.query(`update command_bus_queue_sample set bucket = bucket - interval '10 minutes' where seconds = 60`)
  await bus.sendBatch('payments', [
    { commandType: 'Charge', data: 1, delaySeconds: 600 },
    { commandType: 'Charge', data: 2, key: 'k' },
    { commandType: 'Charge', data: 3, key: 'k' },
  ])
  await pool.query(`select pgmq.send('shop__replies', '{"command_id":"x"}') from generate_series(1, 3)`)
  await pool.query(`update pgmq.q_shop__replies set enqueued_at = now() - interval '3 hours' where msg_id = 1`)
  const { items } = await bus.figures.queues()
  expect(items).toMatchObject([
    {
      queue: 'payments__commands',
      kind: 'commands',
      domain: 'payments',
      ...{ ready: 2, inFlight: 0, delayed: 2, held: 1, depth: 4, change: 3, total: 4, unreadSeconds: null },
    },
    { queue: 'shop__replies', kind: 'replies', domain: null, ready: 3, depth: 3, change: 3 },
  ])
  expect(items[0]?.inPerMinute).toBeGreaterThan(0.2)
  expect(items[0]?.inPerMinute).toBeLessThan(0.4)
  expect(items[0]?.outPerMinute).toBe(0)
  expect(items[1]?.unreadSeconds).toBeGreaterThanOrEqual(10_800)
  const { sentence } = await bus.figures.status()
  expect(sentence).toMatch(/replies in shop__replies unread since [^;]+ \(3 wait, rises\)/)
  await pool.query(`select pgmq.read('shop__replies', 60, 3)`)
  const read = await bus.figures.queues({ queue: 'shop__replies' })
  expect(read.items).toMatchObject([{ unreadSeconds: null, ready: 0, delayed: 3 }])
  expect(read.series).toHaveLength(15)
  expect(read.series.reduce((sum, { came }) => sum + came, 0)).toBe(3)
  expect(read.series.at(-1)).toMatchObject({ depth: 3 })
})

test('O8: causes are parked and failed ones with their course; the newest code is marked once there is a history', async () => {
  const testBus = await createTestBus()
  const { bus, pool } = testBus
  for (let i = 0; i < 3; i++) await parked(testBus, 'payments', {}, { errorCode: 'CARD_DECLINED' })
  const snoozed = await parked(testBus, 'payments', {}, { errorCode: 'LATER' })
  await bus.troubleshooting.snooze('payments', snoozed, {
    operator: 'jane',
    until: new Date(Date.now() + 86_400_000).toISOString(),
  })
  await countAll(testBus.pool)
  // another process has no answer of a moment ago
  const causes = async () => (await testBus.another().figures.causes()).items
  expect(await causes()).toMatchObject([
    {
      ...{ domain: 'payments', commandType: 'Charge', errorCode: 'CARD_DECLINED', parked: 3, failed: 0 },
      ...{ last15m: 3, last1h: 3, isNew: false, sample: 'the card was declined' },
    },
    { errorCode: 'LATER', parked: 0, last15m: 1, sample: null },
  ])
  // as if counting had begun yesterday, with commands that fared well, and the first code was seen then
  await pool.query(
    `insert into command_bus_type_figure select seconds, bucket - interval '20 hours', domain, command_type, of_tenant, sent, begun, 0, 0, 0, 0, 0, null, waits, runs
     from command_bus_type_figure where seconds = 900`,
  )
  await pool.query(
    `update command_bus_error_figure set first_at = first_at - interval '20 hours' where error_code = 'CARD_DECLINED'`,
  )
  await parked(testBus, 'payments', {}, { errorCode: 'TypeError' })
  await countAll(testBus.pool)
  expect((await causes()).map(({ errorCode, isNew }) => [errorCode, isNew])).toEqual([
    ['CARD_DECLINED', false],
    ['TypeError', true],
    ['LATER', true],
  ])
  expect((await bus.figures.status()).problems).toMatchObject([
    { kind: 'allFail', errorCode: 'CARD_DECLINED', count: 3 },
  ])
})

test('O8: a caller of one tenant sees its own parked commands only, one without a tenant what has none', async () => {
  const testBus = await createTestBus()
  const { bus } = testBus
  await parked(testBus, 'payments', {}, { tenantId: 't1', errorCode: 'OWN' })
  await parked(testBus, 'payments', {}, { tenantId: 't2', errorCode: 'OTHER' })
  await parked(testBus, 'payments', {}, { errorCode: 'NOBODYS' })
  await countAll(testBus.pool)
  const seenBy = async (tenant: string | null, role: 'OPERATOR' | 'ADMIN' = 'OPERATOR') => {
    const { figures } = bus.as({ subject: 'jane', tenant, roles: [role] })
    const [types, queues, causes, status] = [
      await figures.types(),
      await figures.queues(),
      await figures.causes(),
      await figures.status(),
    ]
    return {
      sent: types.items.reduce((sum, { sent }) => sum + sent, 0),
      queues: queues.items.length,
      codes: causes.items.map(({ errorCode }) => errorCode).sort(),
      sentence: status.sentence,
    }
  }
  const waits = 'Nothing fails now; 1 command in troubleshooting waits for a decision.'
  expect(await seenBy('t1')).toEqual({ sent: 0, queues: 0, codes: ['OWN'], sentence: waits })
  expect(await seenBy(null)).toEqual({ sent: 1, queues: 0, codes: ['NOBODYS'], sentence: waits })
  expect(await seenBy(null, 'ADMIN')).toMatchObject({ sent: 3, queues: 1, codes: ['NOBODYS', 'OTHER', 'OWN'] })
})

test('O8: the sentence follows what happens: failures of a dependency, and its recovery', async () => {
  const testBus = await createTestBus()
  const { bus, work, until, pool } = testBus
  const failed = async (code: string, count: number): Promise<void> => {
    const worker = await work({
      domain: 'payments',
      handlers: {
        '*': () => {
          throw new PermanentCommandError(code, 'the provider is down')
        },
      },
    })
    await bus.sendBatch(
      'payments',
      Array.from({ length: count }, () => ({ commandType: 'Charge', data: {} })),
    )
    await until(
      () => pool.query(`select from command_bus_command where status in ('PENDING', 'IN_PROGRESS')`),
      ({ rowCount }) => rowCount === 0,
    )
    await worker.stop()
  }
  expect((await bus.figures.status()).sentence).toMatch(/^1 problem: no process counts figures/)
  await countAll(testBus.pool)
  expect((await testBus.another().figures.status()).sentence).toBe('All is well.')
  await failed('UPSTREAM_503', 4)
  await countAll(testBus.pool)
  const { problems, sentence } = await testBus.another().figures.status({ timeZone: 'Europe/Berlin' })
  expect(sentence).toMatch(
    /^1 problem: nothing succeeds in Charge of payments since \d\d:\d\d: UPSTREAM_503 \(4 in 10 min, rises\)\.$/,
  )
  expect(problems).toMatchObject([{ kind: 'allFail', commandType: 'Charge', count: 4, trend: 'rises' }])
  await expect(bus.figures.status({ timeZone: 'Mars/Olympus' })).rejects.toThrow(/not a time zone/)
})
