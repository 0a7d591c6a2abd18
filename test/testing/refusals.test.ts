import type { ClientBase } from 'pg'
import { expect, test } from 'vitest'
import { CommandBusError, InvalidInputError } from '../../src/index.ts'
import { NotInMemoryError, testBus } from '../../src/testing/index.ts'

const admin = { subject: 'ann', tenant: null, roles: ['ADMIN', 'OPERATOR', 'SENDER', 'ANALYST'] } as never

test('K1: what only PostgreSQL can do is refused with one sentence, and nothing is done', async () => {
  const bus = testBus()
  const { commandId } = await bus.send('payments', 'Charge', {})
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'send in a transaction': () => bus.send('payments', 'Charge', {}, { client: {} as ClientBase }),
    'batch in a transaction': () => bus.sendBatch('payments', [], { client: {} as ClientBase }),
    'send in a lane': () => bus.send('payments', 'Charge', {}, { key: 'acme' }),
    'batch in a lane': () => bus.sendBatch('payments', [{ commandType: 'Charge', data: {}, key: 'acme' }]),
    lanes: () => bus.lanes.list({ domain: 'payments' } as never),
    limits: () => bus.limits.list(),
    strangers: () => bus.strangers.list({}),
    'bulk actions': () => bus.actions.list(),
    runs: () => bus.runs.list({} as never),
    credits: () => bus.credits.balance('acme' as never),
    'reply readers': () => bus.replies('shop__replies').run(() => {}),
    'owed replies': () => bus.replies.owed({} as never),
    rehearsals: () => bus.troubleshooting.rehearse('payments', commandId),
    explain: () => bus.troubleshooting.explain({ domain: 'payments', commandType: 'Charge', errorCode: 'X' }),
    listAt: () => bus.troubleshooting.listAt(),
    causes: () => bus.causes.list({}),
    correlation: () => bus.getCorrelation('c'),
    workers: () => bus.workers.list({} as never),
    alerts: () => bus.alerts.list(),
    views: () => bus.views.list({} as never),
    search: () => bus.search.declared(),
    figures: () => bus.figures.causes({} as never),
    maintenance: () => bus.maintenance.verify(),
    'schedules, carried out': () => bus.schedules.carryOut(),
    'of a caller': () => bus.as(admin).limits.list({}),
  }
  for (const [name, call] of Object.entries(calls)) {
    const refused = await call().catch((error: unknown) => error)
    expect(refused, name).toBeInstanceOf(NotInMemoryError)
    expect(refused, name).toBeInstanceOf(CommandBusError)
    expect((refused as Error).message, name).toMatch(
      /^a bus in memory has no .*: test this with PostgreSQL, see docs\/testing.md$/,
    )
  }
  const handler = { transactional: true, handle: () => {} }
  expect(() => testBus({ handlers: { payments: { Charge: handler } } })).toThrow(NotInMemoryError)
  expect(() => bus.worker({ domain: 'payments', adoptStrangers: true })).toThrow(NotInMemoryError)
  expect((await bus.queryCommands()).items).toHaveLength(1)
})

test('K1: a wrong span of time, and a wrong beginning, are refused', async () => {
  const bus = testBus()
  for (const by of [{}, { fortnights: 1 }, { seconds: -1 }, { seconds: Number.NaN }]) {
    await expect(bus.advance(by as never)).rejects.toThrow(/must be a span such as \{ minutes: 5 \}/)
  }
  expect(() => testBus({ now: 'yesterday' })).toThrow(InvalidInputError)
})
