import { describe, expect, test } from 'vitest'
import { InvalidInputError, InvalidOperationError } from '../../../src/index.ts'
import { readDatabaseStats } from '../../../src/infrastructure/postgres/stats/database-stats.ts'
import { createStats } from '../../../src/infrastructure/postgres/stats/stats.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { auditNames, parked } from '../../support/park.ts'

const jane = { operator: 'jane@example.com' }
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString()
const counted = async ({ pool }: TestBus) =>
  (await readDatabaseStats(pool)).parked.map(({ domain, count }) => [domain, count])
const shownBy = async ({ pool }: TestBus) => (await createStats(pool).read()).total.IN_TROUBLESHOOTING_QUEUE

/** Makes the instant pass: it moves the instant, as the database's clock cannot be set. */
const letPass = ({ pool }: TestBus) =>
  pool.query(
    `update command_bus_command set snoozed_until = now() - interval '1 second' where snoozed_until is not null`,
  )

describe('a snoozed command', () => {
  test('stays parked and in the list, says until when, and leaves the counts', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    const other = await parked(setup)
    const until = inAnHour()
    expect(await bus.troubleshooting.snooze('payments', commandId, { ...jane, until, reason: 'closed' })).toEqual({
      commandId,
      status: 'IN_TROUBLESHOOTING_QUEUE',
    })
    expect(await bus.getCommand('payments', commandId)).toMatchObject({
      status: 'IN_TROUBLESHOOTING_QUEUE',
      parkedReason: 'PERMANENT',
      snoozedUntil: until,
    })
    const list = async (filter = {}) =>
      (await bus.troubleshooting.list(filter)).items.map(({ commandId: id, snoozedUntil }) => [id, snoozedUntil])
    expect(await list()).toEqual([
      [other, null],
      [commandId, until],
    ])
    expect(await list({ snoozed: true })).toEqual([[commandId, until]])
    expect(await list({ snoozed: false })).toEqual([[other, null]])
    expect(await bus.troubleshooting.groups({ snoozed: false })).toMatchObject([{ count: 1 }])
    expect([await counted(setup), await shownBy(setup)]).toEqual([[['payments', 1]], 1])
    expect((await bus.getAuditTrail('payments', commandId)).at(-1)).toMatchObject({
      eventType: 'OPERATOR_SNOOZE',
      actor: jane.operator,
      details: { operator: jane.operator, until, reason: 'closed' },
    })
    expect(await bus.maintenance.verify()).toEqual([])
    await bus.maintenance.rebuild()
    expect(await list({ snoozed: true })).toEqual([[commandId, until]])
  })

  test('comes back by itself when the instant has passed', async () => {
    const setup = await createTestBus()
    const commandId = await parked(setup)
    await setup.bus.troubleshooting.snooze('payments', commandId, { ...jane, until: inAnHour() })
    expect([await counted(setup), await shownBy(setup)]).toEqual([[], 0])
    await letPass(setup)
    expect([await counted(setup), await shownBy(setup)]).toEqual([[['payments', 1]], 1])
    expect((await setup.bus.troubleshooting.list({ snoozed: true })).total).toBe(0)
    expect((await setup.bus.troubleshooting.list({ snoozed: false })).total).toBe(1)
    expect((await auditNames(setup.bus, 'payments', commandId)).at(-1)).toBe('OPERATOR_SNOOZE')
  })

  test.each([
    ['retry', {}, 'PENDING'],
    ['cancel', { reason: 'a duplicate' }, 'CANCELED'],
    ['complete', {}, 'COMPLETED'],
  ] as const)('is ended by %s', async (action, options, status) => {
    const setup = await createTestBus()
    const commandId = await parked(setup)
    await setup.bus.troubleshooting.snooze('payments', commandId, { ...jane, until: inAnHour() })
    await setup.bus.troubleshooting[action]('payments', commandId, { ...jane, ...options } as never)
    expect(await setup.bus.getCommand('payments', commandId)).toMatchObject({ status, snoozedUntil: null })
  })

  test('gets another instant; the same instant again appends no event', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    const [first, second] = [inAnHour(), new Date(Date.now() + 7_200_000).toISOString()]
    for (const until of [first, first, second]) {
      await bus.troubleshooting.snooze('payments', commandId, { ...jane, until })
    }
    const names = await auditNames(bus, 'payments', commandId)
    expect(names.filter(name => name === 'OPERATOR_SNOOZE')).toHaveLength(2)
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ snoozedUntil: second })
  })

  test('is part of the queue as it was at an instant', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    const before = new Date().toISOString()
    await new Promise(done => setTimeout(done, 5))
    const until = inAnHour()
    await bus.troubleshooting.snooze('payments', commandId, { ...jane, until })
    const at = async (options = {}) =>
      (await bus.troubleshooting.listAt(options)).items.map(({ snoozedUntil }) => snoozedUntil)
    expect([await at({ at: before }), await at(), await at({ snoozed: false })]).toEqual([[null], [until], []])
    const { items } = await bus.getHistory('payments', commandId)
    expect(items.at(-1)).toMatchObject({ names: ['OPERATOR_SNOOZE'], state: { snoozedUntil: until } })
  })
})

describe('what cannot be snoozed', () => {
  test.each([
    ['the past', '2020-01-01'],
    ['more than a year ahead', '9999-01-01'],
    ['no instant', 'tomorrow'],
  ])('%s: is refused in a sentence, and nothing is done', async (_, until) => {
    const setup = await createTestBus()
    const commandId = await parked(setup)
    const refused = setup.bus.troubleshooting.snooze('payments', commandId, { ...jane, until })
    await expect(refused).rejects.toThrow(InvalidInputError)
    await expect(refused).rejects.toThrow(
      /^until: must be (a time in the future, at most a year from now, not |an ISO 8601 )/,
    )
    const many = setup.bus.actions.start({ action: 'snooze', filter: {}, ...jane, until })
    await expect(many).rejects.toThrow(/^until: must be/)
    expect(await auditNames(setup.bus, 'payments', commandId)).not.toContain('OPERATOR_SNOOZE')
  })

  test('a command that is not parked', async () => {
    const { bus } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {})
    const refused = bus.troubleshooting.snooze('payments', commandId, { ...jane, until: inAnHour() })
    await expect(refused).rejects.toThrow(InvalidOperationError)
  })
})

describe('many at once', () => {
  test('are snoozed, after a dry run that changed nothing; an action still takes a command that was snoozed meanwhile', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    await parked(setup)
    const asked = { action: 'snooze', filter: {}, ...jane, until: inAnHour() } as const
    expect(await bus.actions.dryRun(asked)).toMatchObject({ would: 2, blocked: 0, messages: [], replies: [] })
    expect((await bus.troubleshooting.list({ snoozed: true })).total).toBe(0)
    const single = await bus.troubleshooting.snooze('payments', commandId, {
      ...jane,
      until: asked.until,
      dryRun: true,
    })
    expect(single).toMatchObject({ dryRun: { events: ['OPERATOR_SNOOZE'] } })

    const retry = await bus.actions.start({ action: 'retry', filter: {}, ...jane })
    const { actionId } = await bus.actions.start(asked)
    expect(await bus.actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 2 })
    await setup.until(
      () => bus.troubleshooting.list({ snoozed: true }),
      ({ total }) => total === 2,
    )
    expect(await bus.actions.runOne(retry.actionId)).toMatchObject({ succeeded: 2 })
  })

  test('with the options of a snooze only', async () => {
    const { bus } = await createTestBus()
    const wrong = bus.actions.start({ action: 'retry', filter: {}, ...jane, until: inAnHour() })
    await expect(wrong).rejects.toThrow('until: belongs to snooze, not to retry; leave it out')
  })
})
