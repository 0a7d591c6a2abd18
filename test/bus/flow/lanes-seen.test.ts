import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import { ForbiddenError, InvalidInputError, LimitNotFoundError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'

/** Entries as the engine writes them: `lanes` of them, each with so many commands, of which the first is let in. */
const fill = (pool: pg.Pool, lanes: number, each: number): Promise<unknown> =>
  pool.query(
    `insert into command_bus_lane_entry (domain, command_id, lane, state, queue, msg_id)
     select 'shop', gen_random_uuid(), 'lane ' || lpad(l::text, 6, '0'), case n when 1 then 'admitted' else 'waiting' end, 'q', n
     from generate_series(1, $2::int) n, generate_series(1, $1::int) l`,
    [lanes, each],
  )

describe('lanes, seen and changed', () => {
  test('F6: settings are events, seen at any instant, and the tables are rebuilt from them', async () => {
    const { bus, pool } = await createTestBus()
    const before = new Date().toISOString()
    expect(await bus.lanes.get('shop', 'order 1-2')).toEqual({
      domain: 'shop',
      lane: 'order 1-2',
      width: 1,
      ratePerSecond: null,
      onPark: 'hold',
      limit: null,
      running: [],
      waiting: 0,
      waitingSince: null,
      blockedBy: null,
    })
    const set = await bus.lanes.set('shop', 'order 1-2', {
      width: 3,
      ratePerSecond: 2.5,
      onPark: 'pass',
      operator: 'ann',
    })
    expect(set).toMatchObject({ width: 3, ratePerSecond: 2.5, onPark: 'pass' })
    // of a domain and a lane whose names are the same when they are joined by a dash
    await bus.lanes.set('shop-order', '1-2', { width: 2 })
    await bus.lanes.set('shop', 'order-1-2', { width: 4 })
    const rule = await bus.limits.set('shop', 'charges', {
      by: 'type',
      commandType: 'Charge',
      width: 5,
      operator: 'bob',
    })
    expect(rule).toMatchObject({ by: 'type', commandType: 'Charge', width: 5, onPark: 'pass', updatedBy: 'bob' })
    const during = new Date(Date.now() + 1).toISOString()
    await new Promise(resolve => setTimeout(resolve, 5))
    await bus.lanes.set('shop', 'order 1-2', { width: 1 })
    expect(await bus.limits.delete('shop', 'charges')).toMatchObject({ name: 'charges' })

    expect((await bus.lanes.list()).items.map(({ lane, width }) => [lane, width])).toEqual([
      ['order 1-2', 1],
      ['order-1-2', 4],
      ['1-2', 2],
    ])
    expect(await bus.limits.list()).toEqual([])
    expect(await bus.lanes.listAt(before)).toEqual([])
    expect(await bus.lanes.listAt(during, { domain: 'shop' })).toMatchObject([
      { lane: 'order 1-2', width: 3, ratePerSecond: 2.5, onPark: 'pass', updatedBy: 'ann' },
      { lane: 'order-1-2', width: 4 },
    ])
    expect(await bus.limits.list({ at: during })).toEqual([rule])
    // the same again is no event
    await bus.lanes.set('shop', 'order 1-2', { width: 1, onPark: 'hold', operator: 'eve' })
    await bus.limits.delete('shop', 'charges')
    const events = await pool.query(`select type from command_bus_event order by position`)
    expect(events.rows.map(({ type }) => type)).toEqual([
      ...['LaneSet', 'LaneSet', 'LaneSet', 'LimitSet', 'LaneSet', 'LimitRemoved'],
    ])

    const rows = async () => [
      (await pool.query('select * from command_bus_lane order by domain, lane')).rows,
      (await pool.query('select * from command_bus_limit')).rows,
    ]
    const kept = await rows()
    await pool.query(`update command_bus_lane set width = 9 where lane = 'order-1-2'`)
    expect(await bus.maintenance.verify()).toMatchObject([{ stream: 'lane-shop/order-1-2', column: 'width' }])
    await bus.maintenance.rebuild()
    expect(await rows()).toEqual(kept)
    expect(await bus.maintenance.verify()).toEqual([])
  })

  test('F6: a lane shows who runs, who waits since when, and what blocks it', async () => {
    const { bus, pool } = await createTestBus()
    const lane = { domain: 'shop', commandType: 'Ship' }
    const ids = Array.from({ length: 4 }, () => randomUUID())
    await bus.sendBatch(
      'shop',
      ids.map(commandId => ({ commandId, commandType: lane.commandType, data: {} })),
    )
    const put = async (state: string, ids: readonly string[], name = 'a') => {
      for (const id of ids) {
        await pool.query(
          `insert into command_bus_lane_entry (domain, command_id, lane, state, queue, msg_id) values ('shop', $1, $2, $3, 'q', 1)`,
          [id, name, state],
        )
      }
    }
    await put('admitted', ids.slice(0, 1))
    await put('waiting', ids.slice(1, 3))
    await put('parked', ids.slice(3), 'b')
    expect(await bus.lanes.get('shop', 'a')).toMatchObject({
      running: [ids[0]],
      waiting: 2,
      waitingSince: expect.stringMatching(/^\d{4}-.*Z$/),
      blockedBy: null,
    })
    expect((await bus.lanes.list({ blocked: true })).items).toMatchObject([
      {
        lane: 'b',
        running: [],
        waiting: 0,
        blockedBy: { commandId: ids[3], why: 'PARKED', since: expect.any(String) },
      },
    ])
    expect((await bus.lanes.list({ blocked: false })).items.map(({ lane }) => lane)).toEqual(['a'])
    // a wider lane goes on beside a parked command
    await bus.lanes.set('shop', 'b', { width: 2 })
    expect((await bus.lanes.list({ blocked: true })).items).toEqual([])
    await pool.query(
      `update command_bus_command set next_attempt_at = now() + interval '1 hour' where command_id = $1`,
      [ids[0]],
    )
    expect(await bus.lanes.get('shop', 'a')).toMatchObject({
      running: [],
      blockedBy: { commandId: ids[0], why: 'RETRY' },
    })
  })

  test('F6: lists are pages, fast however much waits, with counts up to 1,000', async () => {
    const { bus, pool } = await createTestBus()
    const lanes = Number(process.env.LANES ?? 1_000)
    await fill(pool, lanes, 20)
    await fill(pool, 1, 3_000)
    await pool.query('analyze command_bus_lane_entry')
    const first = await bus.lanes.list({ domain: 'shop', limit: 2 })
    expect(first.items).toMatchObject([
      { lane: 'lane 000001', waiting: 1_000 },
      { lane: 'lane 000002', waiting: 19 },
    ])
    const next = await bus.lanes.list({ domain: 'shop', limit: 2, cursor: first.nextCursor ?? '' })
    expect(next.items.map(({ lane }) => lane)).toEqual(['lane 000003', 'lane 000004'])
    expect((await bus.lanes.list({ domain: 'other' })).items).toEqual([])
    expect(await bus.lanes.list({ blocked: true })).toEqual({ items: [], nextCursor: null })
    const { rows } = await pool.query(
      `explain (analyze, buffers, format json) with recursive lanes as (
         select e.domain, e.lane from (select domain, lane from command_bus_lane_entry order by domain, lane limit 1) e) select * from lanes`,
    )
    expect(JSON.stringify(rows)).not.toContain('Seq Scan')
    await expect(bus.lanes.list({ cursor: 'x' })).rejects.toThrow(/not a valid cursor/)
  })

  test.each([
    ['width', { width: 0 }, /width: must be a whole number from 1 to 1000, not 0/],
    ['width', { width: 1_001 }, /width: must be a whole number/],
    ['ratePerSecond', { width: 1, ratePerSecond: 0 }, /ratePerSecond: must be a number from .*, not 0/],
    ['onPark', { width: 1, onPark: 'wait' }, /onPark: must be one of hold, pass, not wait/],
  ])('F6: a wrong %s is one sentence, and nothing is set', async (_, options, message) => {
    const { bus } = await createTestBus()
    const refused = await bus.lanes.set('shop', 'a', options as never).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InvalidInputError)
    expect((refused as Error).message).toMatch(message)
    await expect(bus.lanes.set('shop', 'x'.repeat(230), { width: 1 })).rejects.toThrow(/lane: must have at most 229/)
    await expect(bus.limits.set('shop', 'a/b', { by: 'key', width: 1 })).rejects.toThrow(/name: must be letters/)
    await expect(bus.limits.set('shop', 'a', { by: 'day' as never, width: 1 })).rejects.toThrow(
      /by: must be one of type/,
    )
    await expect(bus.limits.delete('shop', 'a')).rejects.toThrow(LimitNotFoundError)
    expect((await bus.lanes.list()).items).toEqual([])
  })

  test('F6: the longest names of a rule and of a tenant make a lane that is seen and changed as any other', async () => {
    const { bus, another } = await createTestBus()
    const rule = 'r'.repeat(100)
    await bus.limits.set('shop', rule, { by: 'tenant', width: 1 })
    const tenants = ['a', 'b'].map(name => name.repeat(128))
    for (const tenantId of tenants) await another().send('shop', 'Ship', {}, { tenantId })
    const first = await bus.lanes.list({ limit: 1 })
    expect(first.items).toMatchObject([{ lane: `${rule}/${tenants[0]}`, limit: rule }])
    const next = await bus.lanes.list({ limit: 1, cursor: first.nextCursor ?? '' })
    expect(next.items).toMatchObject([{ lane: `${rule}/${tenants[1]}` }])
    expect(await bus.lanes.set('shop', `${rule}/${tenants[1]}`, { width: 3 })).toMatchObject({ width: 3 })
  })

  test('F6: a caller with a tenant sees its own commands of a lane only, and changes none', async () => {
    const { bus, pool } = await createTestBus()
    const ann = bus.as({ subject: 'ann', tenant: 'acme', roles: ['OPERATOR'] })
    const bob = bus.as({ subject: 'bob', tenant: null, roles: ['OPERATOR'] })
    const admin = bus.as({ subject: 'root', tenant: null, roles: ['ADMIN'] })
    const [own, other] = [randomUUID(), randomUUID()]
    await bus.send('shop', 'Ship', {}, { commandId: own, tenantId: 'acme' })
    await bus.send('shop', 'Ship', {}, { commandId: other, tenantId: 'other' })
    await pool.query(
      `insert into command_bus_lane_entry (domain, command_id, lane, state, queue, msg_id)
       values ('shop', $1, 'both', 'parked', 'q', 1), ('shop', $2, 'both', 'waiting', 'q', 2), ('shop', $3, 'theirs', 'admitted', 'q', 3)`,
      [other, own, randomUUID()],
    )
    expect((await ann.lanes.list()).items).toMatchObject([
      { lane: 'both', running: [], waiting: 1, blockedBy: { commandId: null, why: 'PARKED' } },
    ])
    expect((await bob.lanes.list()).items).toEqual([])
    expect((await admin.lanes.list()).items.map(({ lane }) => lane)).toEqual(['both', 'theirs'])
    await expect(ann.lanes.set('shop', 'both', { width: 2 })).rejects.toThrow(ForbiddenError)
    await expect(ann.limits.set('shop', 'x', { by: 'key', width: 2 })).rejects.toThrow(/token without a tenant/)
    // the answer of a change shows no more than a list
    expect(await bob.lanes.set('shop', 'both', { width: 2 })).toMatchObject({ width: 2, running: [], waiting: 0 })
    expect(await admin.lanes.set('shop', 'both', { width: 2 })).toMatchObject({ running: [own] })
    const [then] = await admin.lanes.listAt(new Date(Date.now() + 1).toISOString())
    expect(then).toMatchObject({ lane: 'both', width: 2, updatedBy: 'bob' })
  })
})
