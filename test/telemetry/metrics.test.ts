import { expect, test } from 'vitest'
import { silentTelemetry } from '../../src/application/ports/telemetry.ts'
import { readDatabaseStats } from '../../src/infrastructure/postgres/stats/database-stats.ts'
import { createLabelCap } from '../../src/infrastructure/telemetry/labels.ts'
import { createMetrics } from '../../src/infrastructure/telemetry/metrics.ts'
import { createTestBus } from '../support/bus.ts'

/** The value of a line of the page; undefined: there is no such line. */
const figure = (page: string, series: string): number | undefined => {
  const line = page.split('\n').find(one => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test('sends and attempts are counted by domain, type and outcome', async () => {
  const { telemetry, page } = createMetrics()
  telemetry
    .sending({ domain: 'payments', commandTypes: ['Charge', 'Refund', 'Charge'] })
    .done(['accepted', 'accepted', 'duplicate'])
  const facts = { domain: 'payments', commandId: 'x', commandType: 'Charge', correlationId: 'c', attempt: 1 }
  const attempt = telemetry.attempting(facts)
  expect(attempt.run(() => 5)).toBe(5)
  attempt.handled()
  attempt.ended({ outcome: 'completed', replied: false })
  telemetry.attempting(facts).ended({ outcome: 'parked', replied: false, error: { code: 'X', message: 'x' } })
  const text = await page()
  const count = (type: string, outcome: string) =>
    figure(text, `commandbus_commands_total{domain="payments",type="${type}",outcome="${outcome}"}`)
  expect(count('Charge', 'accepted')).toBe(1)
  expect(count('Charge', 'duplicate')).toBe(1)
  expect(count('Refund', 'accepted')).toBe(1)
  expect(count('Charge', 'completed')).toBe(1)
  expect(count('Charge', 'parked')).toBe(1)
  expect(
    figure(text, 'commandbus_handler_duration_seconds_count{domain="payments",type="Charge",outcome="completed"}'),
  ).toBe(1)
})

test('slots and pools are read at each scrape', async () => {
  let busy = 3
  const pool = { totalCount: 5, idleCount: 1, waitingCount: 2 }
  const { telemetry, page } = createMetrics({ pools: () => ({ bus: pool }) })
  const stop = telemetry.working({ domain: 'payments', workerId: 'w1', slots: 10, busy: () => busy })
  telemetry.working({ domain: 'payments', workerId: 'w2', slots: 10, busy: () => 1 })
  expect(figure(await page(), 'commandbus_worker_slots_busy{domain="payments"}')).toBe(4)
  busy = 7
  const text = await page()
  expect(figure(text, 'commandbus_worker_slots_busy{domain="payments"}')).toBe(8)
  expect(figure(text, 'commandbus_worker_slots{domain="payments"}')).toBe(20)
  expect(figure(text, 'commandbus_pool_connections{pool="bus",state="total"}')).toBe(5)
  expect(figure(text, 'commandbus_pool_connections{pool="bus",state="idle"}')).toBe(1)
  expect(figure(text, 'commandbus_pool_connections{pool="bus",state="waiting"}')).toBe(2)
  stop()
  expect(figure(await page(), 'commandbus_worker_slots{domain="payments"}')).toBe(10)
})

test('the database is queried for metrics at most every five seconds, and nothing is shown when it does not answer', async () => {
  const { bus, pool } = await createTestBus()
  await bus.send('payments', 'Charge', {})
  let asked = 0
  const { page } = createMetrics({
    database: () => {
      asked++
      return readDatabaseStats(pool)
    },
  })
  const text = await page()
  expect(figure(text, 'commandbus_database_up')).toBe(1)
  expect(figure(text, 'commandbus_queue_depth{queue="payments__commands"}')).toBe(1)
  expect(figure(text, 'commandbus_queue_visible{queue="payments__commands"}')).toBe(1)
  expect(figure(text, 'commandbus_queue_oldest_message_seconds{queue="payments__commands"}')).toBeLessThan(60)
  expect(figure(text, 'commandbus_oldest_transaction_seconds')).toBeLessThan(60)
  expect(figure(text, 'commandbus_feed_lag_seconds')).toBeLessThan(60)
  await Promise.all([page(), page()])
  expect(asked).toBe(1)

  const away = createMetrics({ database: () => Promise.reject(new Error('away')) })
  const without = await away.page()
  expect(figure(without, 'commandbus_database_up')).toBe(0)
  expect(without).not.toMatch(/^commandbus_(feed|queue|oldest)\w+[ {]/m)
})

test('invented types cannot make the page grow without limit', async () => {
  const { telemetry, page } = createMetrics({ maxTypes: 20 })
  for (let i = 0; i < 1000; i++) {
    telemetry.sending({ domain: `d${i % 30}`, commandTypes: [`Type${i}`] }).done(['accepted'])
  }
  const lines = (await page()).split('\n').filter(line => line.startsWith('commandbus_commands_total{'))
  expect(lines.length).toBeLessThanOrEqual(20 + 20 + 1)
  expect(lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(1000)
})

test('a pair of labels keeps its series', () => {
  const labels = createLabelCap(2)
  expect([labels('a', 'X'), labels('a', 'Y'), labels('a', 'Z'), labels('b', 'X'), labels('a', 'X')]).toEqual([
    { domain: 'a', type: 'X' },
    { domain: 'a', type: 'Y' },
    { domain: 'a', type: 'other' },
    { domain: 'other', type: 'other' },
    { domain: 'a', type: 'X' },
  ])
})

test('metrics of a worker process are added to those of the process that is asked', async () => {
  const [service, worker] = [createMetrics({ database: () => Promise.reject(new Error('away')) }), createMetrics()]
  service.telemetry.sending({ domain: 'payments', commandTypes: ['Charge'] }).done(['accepted'])
  const facts = { domain: 'payments', commandId: 'x', commandType: 'Charge', correlationId: 'c', attempt: 1 }
  worker.telemetry.attempting(facts).ended({ outcome: 'completed', replied: true })
  // as it comes through a channel between processes
  const sent = JSON.parse(JSON.stringify(await worker.snapshot()))
  const text = await service.page([sent])
  expect(figure(text, 'commandbus_commands_total{domain="payments",type="Charge",outcome="accepted"}')).toBe(1)
  expect(figure(text, 'commandbus_commands_total{domain="payments",type="Charge",outcome="completed"}')).toBe(1)
  expect(
    figure(text, 'commandbus_handler_duration_seconds_count{domain="payments",type="Charge",outcome="completed"}'),
  ).toBe(1)
  expect(figure(text, 'commandbus_database_up')).toBe(0)
})

test('two buses in one process have separate metrics', async () => {
  const [one, other] = [createMetrics({ processMetrics: true }), createMetrics({ processMetrics: true })]
  one.telemetry.sending({ domain: 'payments', commandTypes: ['Charge'] }).done(['accepted'])
  expect(await one.page()).toContain('payments')
  expect(await other.page()).not.toContain('payments')
  expect(await other.page()).toContain('nodejs_eventloop_lag_seconds')
})

test('without telemetry results and a given trace are passed through', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  expect(silentTelemetry.sending({ domain: 'd', commandTypes: ['T'], traceparent }).traceparent).toBe(traceparent)
  expect(silentTelemetry.sending({ domain: 'd', commandTypes: ['T'] }).traceparent).toBeUndefined()
})
