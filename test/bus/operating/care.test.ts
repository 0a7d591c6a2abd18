import { describe, expect, test } from 'vitest'
import { InvalidInputError, InvalidOperationError, PermanentCommandError } from '../../../src/index.ts'
import { readDatabaseStats } from '../../../src/infrastructure/postgres/stats/database-stats.ts'
import { createStats } from '../../../src/infrastructure/postgres/stats/stats.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { auditNames, isParked, parked } from '../../support/park.ts'

const jane = { operator: 'jane@example.com' }
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString()
const counted = async ({ pool }: TestBus) => {
  const gauges = (await readDatabaseStats(pool)).parked.map(({ domain, count }) => [domain, count])
  return [gauges, (await createStats(pool).read()).total.IN_TROUBLESHOOTING_QUEUE]
}

describe('a parked command', () => {
  test('O3: has notes, an assignee and tags: in the row, the lists, the audit and at an instant; it stays parked', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const replyTo = 'shop__replies'
    const commandId = await parked(setup, 'payments', { amount: 5 }, { replyTo })
    const other = await parked(setup)
    const before = new Date().toISOString()
    await new Promise(done => setTimeout(done, 5))
    const { note, assign, tag, list } = bus.troubleshooting
    const done = { commandId, status: 'IN_TROUBLESHOOTING_QUEUE' }
    expect(await note('payments', commandId, { ...jane, text: 'waits for the bank' })).toEqual(done)
    expect(await assign('payments', commandId, { ...jane, assignee: 'joe' })).toEqual(done)
    expect(await tag('payments', commandId, { ...jane, tags: [' bank', 'eu', 'bank'] })).toEqual(done)
    await note('payments', commandId, { ...jane, text: 'they answered' })

    const care = { assignee: 'joe', tags: ['bank', 'eu'], notes: 2 }
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ ...care, parkedReason: 'PERMANENT' })
    expect((await list({ assignee: 'joe' })).items).toMatchObject([{ commandId, ...care }])
    expect((await list({ tag: 'eu' })).items).toMatchObject([{ commandId }])
    expect((await list({ tag: 'e' })).total).toBe(0)
    expect((await list()).items.map(one => one.commandId)).toEqual([other, commandId])
    expect((await bus.getAuditTrail('payments', commandId)).slice(-4)).toMatchObject([
      { eventType: 'OPERATOR_NOTE', actor: jane.operator, details: { text: 'waits for the bank', number: 1 } },
      { eventType: 'OPERATOR_ASSIGN', details: { operator: jane.operator, assignee: 'joe' } },
      { eventType: 'OPERATOR_TAG', details: { tags: ['bank', 'eu'] } },
      { eventType: 'OPERATOR_NOTE', details: { text: 'they answered', number: 2 } },
    ])
    const at = async (filter = {}) => (await bus.troubleshooting.listAt(filter)).items.map(one => one.tags)
    expect([await at({ at: before }), await at({ assignee: 'joe' }), await at({ tag: 'none' })]).toEqual([
      [[], []],
      [['bank', 'eu']],
      [],
    ])
    expect(await setup.messages(replyTo)).toEqual([])
    expect(await setup.messages('payments__commands')).toEqual([])
    expect(await bus.maintenance.verify()).toEqual([])
    await bus.maintenance.rebuild()
    expect(await bus.getCommand('payments', commandId)).toMatchObject(care)
  })

  test('O3: nobody, no tags, and the same again appends nothing', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    const { note, assign, tag, list } = bus.troubleshooting
    for (const _ of [1, 2]) {
      await note('payments', commandId, { ...jane, text: 'once' })
      await assign('payments', commandId, { ...jane, assignee: 'joe' })
      await tag('payments', commandId, { ...jane, tags: ['bank'] })
    }
    expect((await auditNames(bus, 'payments', commandId)).slice(-3)).toEqual([
      'OPERATOR_NOTE',
      'OPERATOR_ASSIGN',
      'OPERATOR_TAG',
    ])
    await assign('payments', commandId, { ...jane, assignee: null })
    await tag('payments', commandId, { ...jane, tags: [] })
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ assignee: null, tags: [], notes: 1 })
    expect((await list({ assignee: 'joe' })).total).toBe(0)
    expect(await bus.maintenance.verify()).toEqual([])
  })

  test('O3: keeps them and its snooze while it is parked, and when it is retried and parks again', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    const until = inAnHour()
    await bus.troubleshooting.snooze('payments', commandId, { ...jane, until })
    await bus.troubleshooting.assign('payments', commandId, { ...jane, assignee: 'joe' })
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ assignee: 'joe', snoozedUntil: until })
    await bus.troubleshooting.retry('payments', commandId, jane)
    const refuse = () => {
      throw new PermanentCommandError('CARD_DECLINED', 'again')
    }
    await setup.work({ domain: 'payments', handlers: { '*': refuse } })
    await setup.until(() => bus.getCommand('payments', commandId), isParked)
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ assignee: 'joe', snoozedUntil: null })
  })

  test('O3: on many at once, after a dry run that changed nothing', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    await parked(setup)
    const asked = { action: 'assign', filter: {}, ...jane, assignee: 'joe' } as const
    expect(await bus.actions.dryRun(asked)).toMatchObject({ would: 2, messages: [], replies: [] })
    const single = await bus.troubleshooting.tag('payments', commandId, { ...jane, tags: ['a'], dryRun: true })
    expect(single).toMatchObject({ dryRun: { events: ['OPERATOR_TAG'], replies: [] } })
    expect((await bus.troubleshooting.list({ assignee: 'joe' })).total).toBe(0)
    for (const options of [asked, { ...asked, action: 'tag', tags: ['x'], assignee: undefined }] as const) {
      const { assignee, ...rest } = options
      const { actionId } = await bus.actions.start({ ...rest, ...(assignee === undefined ? {} : { assignee }) })
      expect(await bus.actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 2 })
    }
    await setup.until(
      () => bus.troubleshooting.list({ assignee: 'joe', tag: 'x' }),
      ({ total }) => total === 2,
    )
  })

  test('O3: of 20 operators who write at the same time none is refused, and nothing is lost', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    const cause = { domain: 'payments', commandType: 'Charge', errorCode: 'CARD_DECLINED' }
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const written = { operator: `operator ${i}`, text: `note ${i}` }
        return Promise.all([
          bus.troubleshooting.note('payments', commandId, written),
          bus.causes.note({ ...cause, ...written }),
        ])
      }),
    )
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ notes: 20 })
    expect((await bus.causes.get(cause)).notes).toHaveLength(20)
  })

  test('O3: bounds are refused in a sentence, and nothing is done', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    const { note, assign, tag } = bus.troubleshooting
    const tags = (given: readonly unknown[]) => tag('payments', commandId, { ...jane, tags: given as string[] })
    const refused: readonly (readonly [() => Promise<unknown>, string])[] = [
      [
        () => note('payments', commandId, { ...jane, text: 'x'.repeat(2_001) }),
        'text: must have at most 2000 characters',
      ],
      [() => note('payments', commandId, { ...jane, text: ' ' }), 'text: must not be blank'],
      [() => assign('payments', commandId, { ...jane, assignee: 'x'.repeat(201) }), 'assignee: must have at most 200'],
      [() => assign('payments', commandId, jane as never), 'assignee: must be a text, not undefined'],
      [() => tags(Array.from({ length: 21 }, (_, i) => `${i}`)), 'tags: must be at most 20, not 21'],
      [() => tags(['x'.repeat(51)]), 'tags[0]: must have at most 50 characters'],
      [() => tags(['a,b']), 'tags: must have no commas'],
      [() => tags(['']), 'tags[0]: must not be blank'],
    ]
    for (const [call, message] of refused) {
      const done = call()
      await expect(done).rejects.toThrow(InvalidInputError)
      await expect(done).rejects.toThrow(message)
    }
    await note('payments', commandId, { ...jane, text: '\u{1F642}'.repeat(1_000) })
    expect((await bus.getCommand('payments', commandId))?.notes).toBe(1)
    const { commandId: pending } = await bus.send('payments', 'Charge', {})
    await expect(note('payments', pending, { ...jane, text: 'x' })).rejects.toThrow(InvalidOperationError)
  })
})

describe('a cause', () => {
  const cause = { domain: 'payments', commandType: 'Charge', errorCode: 'CARD_DECLINED' }

  test('O3: has notes, an assignee and tags, shown on its group; its table is rebuilt from the log', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    await parked(setup)
    expect(await bus.causes.list()).toEqual([])
    await bus.causes.note({ ...cause, ...jane, text: 'the bank is down' })
    await bus.causes.assign({ ...cause, ...jane, assignee: 'joe' })
    await bus.causes.tag({ ...cause, ...jane, tags: ['bank'] })
    const written = await bus.causes.note({ ...cause, ...jane, text: 'it is back' })
    expect(written).toMatchObject({
      ...cause,
      assignee: 'joe',
      tags: ['bank'],
      notes: [{ operator: jane.operator, text: 'it is back' }, { text: 'the bank is down' }],
    })
    expect(await bus.causes.list({ domain: 'payments' })).toEqual([written])
    expect(await bus.causes.list({ errorCode: 'OTHER' })).toEqual([])
    await expect(bus.causes.note({ ...cause, errorCode: 'x'.repeat(201), text: 'x' })).rejects.toThrow(
      'errorCode: must have at most 200 characters',
    )
    const care = { assignee: 'joe', tags: ['bank'], notes: 2, lastNote: 'it is back', notedBy: jane.operator }
    expect(await bus.troubleshooting.groups()).toMatchObject([{ ...cause, count: 1, care }])
    expect(await bus.troubleshooting.groups({ tenantId: 'acme' })).toEqual([])
    expect(await bus.maintenance.verify()).toEqual([])
    await bus.maintenance.rebuild()
    expect(await bus.troubleshooting.groups()).toMatchObject([{ care }])
  })

  test('O3: under investigation it leaves the counts, as what is snoozed does, and not the lists', async () => {
    const setup = await createTestBus()
    const { bus } = setup
    const commandId = await parked(setup)
    await parked(setup)
    await parked(setup, 'payments', {}, { errorCode: 'OTHER' })
    expect(await counted(setup)).toEqual([[['payments', 3]], 3])
    // counted once, whether it is snoozed, too
    await bus.troubleshooting.snooze('payments', commandId, { ...jane, until: inAnHour() })
    const until = inAnHour()
    await bus.causes.investigate({ ...cause, ...jane, until, reason: 'waits for the PSP' })
    expect(await counted(setup)).toEqual([[['payments', 1]], 1])
    expect((await bus.troubleshooting.list()).total).toBe(3)
    const investigatedBy = jane.operator
    const care = { investigatedUntil: until, investigatedBy, investigationReason: 'waits for the PSP' }
    expect(await bus.troubleshooting.groups()).toMatchObject([{ ...cause, count: 2, care }, { care: null }])
    // what parks meanwhile, too
    await parked(setup)
    expect(await counted(setup)).toEqual([[['payments', 1]], 1])
    await setup.pool.query(`update command_bus_cause set investigated_until = now() - interval '1 second'`)
    expect(await counted(setup)).toEqual([[['payments', 3]], 3])
    await bus.causes.investigate({ ...cause, ...jane, until, reason: 'they called back' })
    expect(await bus.troubleshooting.groups()).toMatchObject([
      { care: { investigationReason: 'they called back' } },
      {},
    ])
    await bus.causes.investigate({ ...cause, ...jane, until: null })
    expect(await bus.troubleshooting.groups()).toMatchObject([{ care: { investigatedUntil: null } }, {}])
  })

  test('O3: is for all tenants, so a caller of one tenant neither reads nor writes about it', async () => {
    const setup = await createTestBus()
    await parked(setup, 'payments', {}, { tenantId: 'acme' })
    await setup.bus.causes.assign({ ...cause, assignee: 'joe' })
    const acme = setup.bus.as({ subject: 'ann', tenant: 'acme', roles: ['OPERATOR'] })
    expect(await acme.troubleshooting.groups({})).toMatchObject([{ ...cause, care: null }])
    await expect(acme.causes.list()).rejects.toThrow('this needs a token without a tenant')
    await expect(acme.causes.note({ ...cause, text: 'x' })).rejects.toThrow('this needs a token without a tenant')
    const all = setup.bus.as({ subject: 'ann', tenant: null, roles: ['OPERATOR'] })
    expect(await all.causes.note({ ...cause, text: 'x' })).toMatchObject({ notes: [{ operator: 'ann' }] })
  })
})
