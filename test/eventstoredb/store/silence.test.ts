import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createCommandBus, UnavailableError } from '../../../src/index.ts'
import { until } from '../../support/bus.ts'
import { closeAfterTest, openParts, rowsOf } from '../../support/eventstoredb/bus.ts'
import { openSilentLine } from '../../support/eventstoredb/silent-line.ts'
import { openCutLine } from '../../support/servers/cut-line.ts'

/** Far longer than the calls may take, far shorter than without limits. */
const LATE_MS = 15_000

const inTime = <A>(work: Promise<A>): Promise<A> =>
  Promise.race([
    work,
    delay(LATE_MS, undefined, { ref: false }).then(() => Promise.reject(new Error('the calls have not settled'))),
  ])

test('R11: every call to a store that stops answering ends, however many there are; afterwards all goes on by itself', async () => {
  const { double, database } = await openParts()
  const line = await openSilentLine(double.url)
  const bus = createCommandBus({
    databaseUrl: database.url,
    eventStoreUrl: line.url,
    eventStoreLimits: { timeoutMs: 500, retryMs: 100, probeMs: 50, standbyMs: 50, stallMs: 1_000 },
  })
  closeAfterTest(bus.close)
  const { commandId } = await bus.send('payments', 'Charge', {})
  await until(
    async () => bus.follower?.health(),
    health => health?.applied === 1 && health.status === 'healthy',
  )
  line.hush()
  const calls = await inTime(
    Promise.allSettled([
      ...Array.from({ length: 600 }, () => bus.send('payments', 'Charge', {})),
      bus.getHistory('payments', commandId),
      bus.cancel('payments', commandId),
    ]),
  )
  for (const call of calls) {
    expect(call).toMatchObject({ status: 'rejected', reason: expect.any(UnavailableError) })
  }
  await until(
    async () => bus.follower?.health().status,
    status => status !== 'healthy',
  )
  line.heal()
  const health = await until(
    async () => bus.follower?.health(),
    found => found?.status === 'healthy',
  )
  expect(health?.state).toBe('following')
  const sent = await bus.send('payments', 'Charge', { after: true })
  expect(await until(() => bus.getCommand('payments', sent.commandId), Boolean)).toMatchObject({ status: 'PENDING' })
})

test('R11: a bus can be closed while the store does not answer; the next process relays what was sent in a transaction', async () => {
  const { double, database } = await openParts()
  const line = await openSilentLine(double.url)
  const open = () =>
    createCommandBus({
      databaseUrl: database.url,
      eventStoreUrl: line.url,
      // an append that would be retried for a long time
      eventStoreLimits: { timeoutMs: 2_000, retryMs: 60_000, standbyMs: 50 },
    })
  const bus = open()
  await bus.ready()
  await until(
    async () => bus.follower?.health().status,
    status => status === 'healthy',
  )
  line.hush()
  const client = await database.pool.connect()
  const { commandId } = await bus.send('payments', 'Charge', {}, { client })
  client.release()
  // beside the relay, a caller waits for an answer
  const sending = bus.send('payments', 'Charge', {}).catch(error => error)
  await inTime(bus.close())
  expect(await inTime(sending)).toBeInstanceOf(UnavailableError)
  line.heal()
  const next = open()
  closeAfterTest(next.close)
  await next.ready()
  await until(() => next.getCommand('payments', commandId), Boolean)
  await until(
    () => rowsOf(database.pool, 'select from command_bus_intent'),
    left => left.length === 0,
  )
})

test('R11: a follower whose PostgreSQL stops answering reports it, and goes on by itself', async () => {
  const { double, database } = await openParts()
  const line = await openCutLine(database.url)
  closeAfterTest(line.close)
  const bus = createCommandBus({
    databaseUrl: line.url,
    databaseTimeoutMs: 1_500,
    eventStoreUrl: double.url,
    eventStoreLimits: { retryMs: 100, probeMs: 50, standbyMs: 50 },
  })
  closeAfterTest(bus.close)
  const reaches = (isWell: boolean) =>
    until(
      async () => bus.follower?.health().status === 'healthy',
      healthy => healthy === isWell,
    )
  await bus.ready()
  await reaches(true)
  line.silence()
  const { commandId } = await inTime(bus.send('payments', 'Charge', {}))
  await reaches(false)
  const [read] = await inTime(Promise.allSettled([bus.getCommand('payments', commandId)]))
  expect(read).toMatchObject({ status: 'rejected', reason: expect.any(UnavailableError) })
  line.silence(false)
  await until(() => bus.getCommand('payments', commandId), Boolean)
  await reaches(true)
})
