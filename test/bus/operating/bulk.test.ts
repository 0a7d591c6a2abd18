import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createTestActions, onceEach, parkMany, tracesOf } from '../../support/actions.ts'
import { createTestBus } from '../../support/bus.ts'
import { auditNames, parked } from '../../support/park.ts'

const jane = { operator: 'jane@example.com' }

describe('a bulk action', () => {
  test('10,000 parked commands are retried by one filter: each has one audit entry and one message', async () => {
    const { bus, pool } = await createTestBus()
    const total = 10_000
    const [first = ''] = await parkMany(pool, total, { data: { amount: 5, note: 'ü' } })
    const actions = createTestActions(pool)
    const seen: number[] = []
    const started = await actions.start({ ...jane, action: 'retry', filter: { errorCode: 'CARD_DECLINED' } })
    expect(started).toMatchObject({ status: 'RUNNING', total, succeeded: 0 })
    const done = await actions.runOne(started.actionId, { onProgress: view => seen.push(view.succeeded) })

    expect(done).toMatchObject({ status: 'COMPLETED', total, succeeded: total, failed: 0, skipped: 0 })
    expect(await tracesOf(pool)).toEqual({
      audit: { OPERATOR_RETRY: onceEach(total) },
      rows: { PENDING: total },
      messages: onceEach(total),
      replies: onceEach(0),
    })
    const { rows } = await pool.query(
      `select count(*)::int as same from pgmq.q_payments__commands q
       join pgmq.a_payments__commands a on a.message->>'command_id' = q.message->>'command_id'
       where q.message::text = a.message::text`,
    )
    expect(rows).toEqual([{ same: total }])
    expect(await bus.getCommand('payments', first)).toMatchObject({ attempts: 0, totalAttempts: 1 })
    expect((await bus.getAuditTrail('payments', first)).at(-1)).toMatchObject({
      eventType: 'OPERATOR_RETRY',
      actor: 'jane@example.com',
      details: { operator: 'jane@example.com', reset_attempts: true, edited: false },
    })
    // reported in pieces; the queue's workers are notified after each
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.length).toBeGreaterThan(10)
    expect(actions.rung.length).toBe(seen.length - 1)
    expect(new Set(actions.rung)).toEqual(new Set(['payments__commands']))
  })

  test('changes the commands of its filter and no others', async () => {
    const { pool } = await createTestBus()
    const noon = '2026-01-02T12:00:00.000Z'
    const [wanted] = await parkMany(pool, 1, { at: noon })
    await parkMany(pool, 1, { at: noon, domain: 'orders' })
    await parkMany(pool, 1, { at: noon, commandType: 'Refund' })
    await parkMany(pool, 1, { at: noon, errorCode: 'TIMEOUT' })
    await parkMany(pool, 1, { at: '2026-01-02T11:59:59.999Z' })
    await parkMany(pool, 1, { at: '2026-01-02T12:00:01.000Z' })
    const actions = createTestActions(pool)
    const filter = {
      domain: 'payments',
      commandType: 'Charge',
      errorCode: 'CARD_DECLINED',
      from: noon,
      to: '2026-01-02T12:00:01Z',
    }
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter })
    await actions.runOne(actionId)
    expect(await actions.get(actionId, { items: {} })).toMatchObject({
      total: 1,
      criteria: { filter: { ...filter, to: '2026-01-02T12:00:01.000Z' } },
      items: { items: [{ ordinal: 1, domain: 'payments', commandId: wanted, outcome: 'SUCCEEDED', message: null }] },
    })
    expect((await tracesOf(pool)).rows).toEqual({ PENDING: 1, IN_TROUBLESHOOTING_QUEUE: 5 })
  })

  test('without matching commands is over at once', async () => {
    const { pool } = await createTestBus()
    const actions = createTestActions(pool)
    for (const canary of [{}, { canary: 3 }]) {
      const view = await actions.start({ ...jane, ...canary, action: 'retry', filter: { domain: 'nowhere' } })
      expect(view).toMatchObject({ status: 'COMPLETED', total: 0 })
      expect(await actions.runOne(view.actionId)).toEqual(view)
    }
  })

  test('does not change commands that are parked after the request', async () => {
    const { bus, pool } = await createTestBus()
    await parkMany(pool, 3)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'cancel', reason: 'gone', filter: {} })
    const [late = ''] = await parkMany(pool, 1)
    expect(await actions.runOne(actionId)).toMatchObject({ total: 3, succeeded: 3 })
    expect(await bus.getCommand('payments', late)).toMatchObject({ status: 'IN_TROUBLESHOOTING_QUEUE' })
  })

  test.each([1, -1])('R22: selects what is parked even if clocks are off: %i h', async hours => {
    const { pool } = await createTestBus()
    const off = () => new Date(Date.now() + hours * 3_600_000)
    const [named = ''] = await parkMany(pool, 1, { at: new Date(Date.now() + 1_800_000).toISOString() })
    await parkMany(pool, 1, { at: new Date(Date.now() - 1_800_000).toISOString() })
    const actions = createTestActions(pool, { clock: { now: off, random: () => 0 } })
    expect(await actions.start({ ...jane, action: 'retry', filter: {} })).toMatchObject({ total: 2 })
    const ids = [{ domain: 'payments', commandId: named }]
    const started = await actions.start({ ...jane, action: 'cancel', reason: 'gone', ids })
    expect(started).toMatchObject({ total: 1, skipped: 0 })
    const { rows } = await pool.query(
      `select every(created_at between now() - interval '5 minutes' and clock_timestamp()) as now from command_bus_action`,
    )
    expect(rows).toEqual([{ now: true }])
  })

  test('skips a selected command that somebody else retried and that was parked once more', async () => {
    const test = await createTestBus()
    const { bus, pool } = test
    const commandId = await parked(test)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    await bus.troubleshooting.retry('payments', commandId, { operator: 'joe' })
    await parked(test)
    await test.until(
      () => bus.getCommand('payments', commandId),
      c => c?.status === 'IN_TROUBLESHOOTING_QUEUE',
    )
    await actions.runOne(actionId)
    expect(await actions.get(actionId, { items: {} })).toMatchObject({
      status: 'COMPLETED',
      skipped: 1,
      items: { items: [{ message: `command ${commandId} was parked again after the request` }] },
    })
    expect((await auditNames(bus, 'payments', commandId)).at(-1)).toBe('MOVED_TO_TROUBLESHOOTING_QUEUE')
  })

  test('goes on after items that fail, each with its reason', async () => {
    const { bus, pool } = await createTestBus()
    const [a = '', b = '', c = ''] = await parkMany(pool, 3)
    const { commandId: pending } = await bus.send('payments', 'Charge', {})
    const unknown = randomUUID()
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({
      ...jane,
      action: 'retry',
      ids: [unknown, a, pending, b, c, a].map(commandId => ({ domain: 'payments', commandId })),
    })
    await bus.troubleshooting.complete('payments', b, { operator: 'joe' })
    expect(await actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', total: 5, succeeded: 2 })
    const view = await actions.get(actionId, { items: {} })
    expect(view).toMatchObject({ failed: 1, skipped: 2 })
    expect(view?.items?.items.map(item => [item.commandId, item.outcome, item.message])).toEqual([
      [unknown, 'FAILED', `no command ${unknown} in domain 'payments'`],
      [a, 'SUCCEEDED', null],
      [pending, 'SKIPPED', expect.stringMatching(/is PENDING, not in troubleshooting/)],
      [b, 'SKIPPED', expect.stringMatching(/is COMPLETED, not in troubleshooting/)],
      [c, 'SUCCEEDED', null],
    ])
  })

  test('keeps the count of attempts when asked to', async () => {
    const { bus, pool } = await createTestBus()
    const [id = ''] = await parkMany(pool, 1)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, resetAttempts: false })
    await actions.runOne(actionId)
    expect(await bus.getCommand('payments', id)).toMatchObject({ status: 'PENDING', attempts: 1 })
  })

  test('cancels, and each sender gets the reason once', async () => {
    const { pool, messages } = await createTestBus()
    await parkMany(pool, 1200, { replyTo: 'replies' })
    await parkMany(pool, 3)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'cancel', filter: {}, reason: 'the shop has closed' })
    expect(await actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 1203 })
    expect(await tracesOf(pool)).toEqual({
      audit: { OPERATOR_CANCEL: onceEach(1203) },
      rows: { CANCELED: 1203 },
      messages: onceEach(0),
      replies: onceEach(1200),
    })
    expect((await messages('replies'))[0]?.message).toMatchObject({
      outcome: 'CANCELED',
      reason: 'the shop has closed',
      error: { code: 'OPERATOR_CANCELED', class: 'OPERATOR' },
    })
    expect(new Set(actions.rung)).toEqual(new Set(['replies']))
  })

  test('completes, and gives each sender the result once', async () => {
    const { bus, pool, messages } = await createTestBus()
    const [id = ''] = await parkMany(pool, 700, { replyTo: 'replies' })
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'complete', filter: {}, resultData: { paid: true } })
    expect(await actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 700 })
    expect(await tracesOf(pool)).toEqual({
      audit: { OPERATOR_COMPLETE: onceEach(700) },
      rows: { COMPLETED: 700 },
      messages: onceEach(0),
      replies: onceEach(700),
    })
    expect((await messages('replies'))[0]?.message).toMatchObject({ outcome: 'SUCCESS', result: { paid: true } })
    expect(await bus.getCommand('payments', id)).toMatchObject({ result: { paid: true } })
  })
})

describe('tenants', () => {
  test('an action of a tenant selects its own commands only; others count as unknown', async () => {
    const { pool } = await createTestBus()
    const [own = ''] = await parkMany(pool, 2, { tenantId: 't1' })
    const [foreign = ''] = await parkMany(pool, 2, { tenantId: 't2' })
    const [nobodys = ''] = await parkMany(pool, 2)
    const actions = createTestActions(pool)
    const all = await actions.start({ ...jane, action: 'retry', filter: {}, tenantId: 't2' })
    expect(all.total).toBe(2)
    const ids = [own, foreign, nobodys].map(commandId => ({ domain: 'payments', commandId }))
    const named = await actions.start({ ...jane, action: 'cancel', reason: 'x', ids, tenantId: 't1' })
    await actions.runOne(named.actionId)
    const view = await actions.get(named.actionId, { tenantId: 't1', items: {} })
    expect(view?.items?.items.map(item => [item.outcome, item.message])).toEqual([
      ['SUCCEEDED', null],
      ['FAILED', `no command ${foreign} in domain 'payments'`],
      ['FAILED', `no command ${nobodys} in domain 'payments'`],
    ])
    expect(await actions.get(named.actionId, { tenantId: 't2' })).toBeNull()
    await expect(actions.stop(all.actionId, { ...jane, tenantId: 't1' })).rejects.toThrow(/no action/)
    expect((await actions.list({ tenantId: 't1' })).items.map(one => one.actionId)).toEqual([named.actionId])
    expect((await actions.list()).items).toHaveLength(2)
  })
})
