import { expect, test } from 'vitest'
import {
  BusinessRuleError,
  DuplicateCommandError,
  PermanentCommandError,
  TransientCommandError,
} from '../../src/index.ts'
import { readDatabaseStats } from '../../src/infrastructure/postgres/stats/database-stats.ts'
import { createMetrics } from '../../src/infrastructure/telemetry/metrics.ts'
import { createTestBus, signal } from '../support/bus.ts'

/** The value of a line of the page; undefined: there is no such line. */
const figure = (page: string, series: string): number | undefined => {
  const line = page.split('\n').find(one => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test('the page shows the outcomes of real commands', async () => {
  let options: Parameters<typeof createMetrics>[0] = {}
  const metrics = createMetrics({ database: async () => (options?.database ?? Promise.reject)() })
  const { bus, pool, work, until } = await createTestBus({ telemetry: metrics.telemetry })
  options = { database: () => readDatabaseStats(pool) }
  const entered = signal()
  const leave = signal()
  const handlers = {
    Fine: () => null,
    Flaky: (_: unknown, { attempt }: { readonly attempt: number }) => {
      if (attempt === 1) throw new TransientCommandError('BUSY', 'busy')
    },
    Refused: () => {
      throw new BusinessRuleError('NO_FUNDS', 'no funds')
    },
    Broken: () => {
      throw new PermanentCommandError('BROKEN', 'broken')
    },
    Long: async () => {
      entered.resolve()
      await leave.promise
    },
  }
  const first = await bus.send('payments', 'Fine', {})
  await expect(bus.send('payments', 'Fine', {}, { commandId: first.commandId })).rejects.toThrow(DuplicateCommandError)
  await bus.sendBatch('payments', [
    { commandType: 'Flaky', data: {}, backoffSeconds: [0] },
    { commandType: 'Refused', data: {} },
    { commandType: 'Broken', data: {} },
    { commandType: 'Unheard', data: {} },
    { commandType: 'Long', data: {} },
  ])
  const worker = await work({ domain: 'payments', handlers, concurrency: 7 })
  await entered.promise
  await until(
    () =>
      pool.query(
        "select 1 from command_bus_command where status = 'PENDING' or (status = 'IN_PROGRESS' and command_type <> 'Long')",
      ),
    ({ rowCount }) => rowCount === 0,
  )
  const page = await until(
    () => metrics.page(),
    text => figure(text, 'commandbus_commands_total{domain="payments",type="Flaky",outcome="completed"}') === 1,
  )
  const of = (type: string, outcome: string) =>
    figure(page, `commandbus_commands_total{domain="payments",type="${type}",outcome="${outcome}"}`)
  expect(of('Fine', 'accepted')).toBe(1)
  expect(of('Fine', 'duplicate')).toBe(1)
  expect(of('Fine', 'completed')).toBe(1)
  expect(of('Flaky', 'accepted')).toBe(1)
  expect(of('Flaky', 'retried')).toBe(1)
  expect(of('Refused', 'failed')).toBe(1)
  expect(of('Broken', 'parked')).toBe(1)
  expect(of('Unheard', 'parked')).toBe(1)
  expect(of('Long', 'completed')).toBeUndefined()
  expect(
    figure(page, 'commandbus_handler_duration_seconds_count{domain="payments",type="Flaky",outcome="retried"}'),
  ).toBe(1)
  expect(figure(page, 'commandbus_worker_slots{domain="payments"}')).toBe(7)
  expect(figure(page, 'commandbus_worker_slots_busy{domain="payments"}')).toBe(1)
  expect(figure(page, 'commandbus_database_up')).toBe(1)
  leave.resolve()
  await worker.stop()
  expect(figure(await metrics.page(), 'commandbus_worker_slots{domain="payments"}')).toBeUndefined()
})
