import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { PermanentCommandError } from '../../../src/index.ts'
import { createTestBus, until } from '../../support/bus.ts'
import { entriesOf, setLane, setLimit } from '../../support/flow/lanes.ts'
import { isParked } from '../../support/park.ts'

const forever = () => new Promise<never>(() => {})

test('F5: the first rule that fits names the lane: by type, by tenant, or with the limits for keys', async () => {
  const { bus, pool } = await createTestBus()
  await setLimit(pool, 'jobs', 'a-mails', { by: 'type', commandType: 'Mail' })
  await setLimit(pool, 'jobs', 'b-tenants', { by: 'tenant' })
  await setLimit(pool, 'jobs', 'c-keys', { by: 'key', commandType: 'Book', width: 2 })
  await setLimit(pool, 'jobs', '0-removed', { by: 'type', removed: true })
  await setLimit(pool, 'other', '0-all', { by: 'type' })
  const lane = async (commandType: string, options: { readonly tenantId?: string; readonly key?: string } = {}) => {
    const [sent] = await bus.sendBatch('jobs', [{ commandType, data: null, ...options }])
    const { rows } = await pool.query('select lane, limit_name from command_bus_lane_entry where command_id = $1', [
      sent?.commandId,
    ])
    expect((await bus.getCommand('jobs', sent?.commandId as string))?.lane ?? null).toBe(rows[0]?.lane ?? null)
    return rows[0] ?? null
  }
  expect(await lane('Mail', { tenantId: 't' })).toEqual({ lane: 'a-mails', limit_name: 'a-mails' })
  expect(await lane('Ship', { tenantId: 't' })).toEqual({ lane: 'b-tenants/t', limit_name: 'b-tenants' })
  expect(await lane('Ship')).toBeNull()
  expect(await lane('Book', { key: 'k' })).toEqual({ lane: 'k', limit_name: 'c-keys' })
  expect(await lane('Mail', { key: 'k' })).toEqual({ lane: 'k', limit_name: null })
  const { commandId } = await bus.send('other', 'Mail', null)
  expect((await bus.getCommand('other', commandId))?.lane).toBe('0-all')
})

test('F6: a key cannot get into a lane that a limit makes by type or tenant', async () => {
  const { bus } = await createTestBus()
  await bus.limits.set('jobs', 'all', { by: 'type', commandType: 'Mail', width: 1 })
  await bus.limits.set('jobs', 'fair', { by: 'tenant', width: 1 })
  await bus.limits.set('jobs', 'keys', { by: 'key', width: 1 })
  for (const [key, limit] of [
    ['all', 'all'],
    ['fair/acme', 'fair'],
    ['fair/', 'fair'],
  ] as const) {
    const refused = { field: 'key', message: `key: '${key}' is a lane of the limit '${limit}': use another key` }
    await expect(bus.send('jobs', 'Run', null, { key, tenantId: 'evil' })).rejects.toMatchObject(refused)
    await expect(bus.sendBatch('jobs', [{ commandType: 'Run', data: null, key }])).rejects.toMatchObject(refused)
  }
  for (const key of ['keys', 'all/x', 'fair']) await bus.send('jobs', 'Run', null, { key })
  expect((await bus.queryCommands({})).items).toHaveLength(3)
})

test('F6: a sender that has sent before knows a new rule a second later, also when it was idle', async () => {
  const { bus, another } = await createTestBus()
  const sender = another()
  await sender.send('jobs', 'Run', null)
  await bus.limits.set('jobs', 'all', { by: 'type', width: 1 })
  await delay(1_000)
  const { commandId } = await sender.send('jobs', 'Run', null)
  expect(await bus.getCommand('jobs', commandId)).toMatchObject({ lane: 'all' })
})

test('F5: a lane never begins more than its rate allows, and uses what it allows', async () => {
  const { bus, work, pool, another } = await createTestBus()
  const RATE = 40
  const COUNT = 120
  await setLimit(pool, 'jobs', 'slow', { by: 'type', width: 20, rate: RATE })
  await bus.sendBatch(
    'jobs',
    Array.from({ length: COUNT }, () => ({ commandType: 'Run', data: null })),
  )
  const began: number[] = []
  const handlers = { Run: () => void began.push(performance.now()) }
  const from = performance.now()
  await work({ domain: 'jobs', handlers })
  await work({ domain: 'jobs', handlers }, another())
  await until(
    async () => began.length,
    n => n === COUNT,
  )
  // a second's worth at once, and then the rate
  began.forEach((at, i) => {
    expect(i + 1).toBeLessThanOrEqual(RATE + (RATE * (at - from)) / 1000 + 1)
  })
  // generous, for a busy machine: without the rate's own pace it would take far longer
  expect(performance.now() - from).toBeLessThan(20_000)
})

test('F5: commands whose time has passed while no worker was there do not begin all at once', async () => {
  const { bus, work, pool } = await createTestBus()
  const RATE = 40
  const COUNT = 100
  await setLimit(pool, 'jobs', 'slow', { by: 'type', width: 100, rate: RATE })
  await bus.sendBatch(
    'jobs',
    Array.from({ length: COUNT }, () => ({ commandType: 'Run', data: null })),
  )
  const began: number[] = []
  const handlers = { Run: () => void began.push(performance.now()) }
  const first = await work({ domain: 'jobs', handlers })
  await until(
    async () => (await pool.query('select from command_bus_lane_entry where turn_at is null')).rowCount,
    left => left === 0,
  )
  await first.stop()
  const before = began.length
  // a minute passes
  await pool.query(`update command_bus_lane_entry set turn_at = turn_at - interval '1 minute'`)
  await pool.query(
    `update command_bus_lane_bucket set next_at = next_at - interval '1 minute', begun_at = begun_at - interval '1 minute'`,
  )
  await pool.query(`update pgmq.q_jobs__commands set vt = now()`)
  const from = performance.now()
  await work({ domain: 'jobs', handlers })
  await until(
    async () => began.length,
    n => n === COUNT,
  )
  began.slice(before).forEach((at, i) => {
    expect(i + 1).toBeLessThanOrEqual(RATE + (RATE * (at - from)) / 1000 + 2)
  })
})

test('F5: a higher rate counts at once also for lanes that were empty when the rule was changed', async () => {
  const { bus, work, until } = await createTestBus()
  await work({ domain: 'jobs', handlers: { Run: () => null } })
  for (const ratePerSecond of [0.001, 100]) {
    await bus.limits.set('jobs', 'all', { by: 'key', width: 1, ratePerSecond })
    const [sent] = await bus.sendBatch('jobs', [{ commandType: 'Run', data: null, key: 'a' }])
    await until(
      () => bus.getCommand('jobs', sent?.commandId as string),
      command => command?.status === 'COMPLETED',
    )
  }
})

test('F5: a width that grows, a rule that is removed, and parked ones that may be passed let those run that wait', async () => {
  const { bus, work, pool, another } = await createTestBus()
  const began: number[] = []
  await setLane(pool, 'jobs', 'a', { width: 1 })
  await work({
    domain: 'jobs',
    concurrency: 50,
    handlers: {
      Run: async data => {
        began.push((data as { n: number }).n)
        if ((data as { bad?: true }).bad) throw new PermanentCommandError('BAD', 'bad')
        await forever()
      },
    },
  })
  const send = (key: string, from: number, count: number, more: object = {}) =>
    bus.sendBatch(
      'jobs',
      Array.from({ length: count }, (_, i) => ({ commandType: 'Run', key, data: { n: from + i, ...more } })),
    )
  await send('a', 0, 5)
  await until(
    async () => began.length,
    n => n === 1,
  )
  // while somebody has the lane locked it is only noted, and workers look at it later
  const holder = await pool.connect()
  await holder.query('begin')
  await bus.send('jobs', 'Run', { n: 9 }, { key: 'a', client: holder })
  await setLane(pool, 'jobs', 'a', { width: 3 })
  await holder.query('rollback')
  holder.release()
  await until(
    async () => began.length,
    n => n === 3,
  )
  expect(began.toSorted()).toEqual([0, 1, 2])

  const { commandId } = (await send('b', 10, 1, { bad: true }))[0] as { commandId: string }
  await send('b', 11, 1)
  await until(() => bus.getCommand('jobs', commandId), isParked)
  await setLane(pool, 'jobs', 'b', { onPark: 'pass' })
  await until(
    async () => began,
    seen => seen.includes(11),
  )

  // a sender that has not read the rules yet
  await setLimit(pool, 'jobs', 'typed', { by: 'type', commandType: 'Run' })
  const others = Array.from({ length: 4 }, (_, i) => ({ commandType: 'Run', data: { n: 20 + i } }))
  await another().sendBatch('jobs', others)
  await until(
    async () => began,
    seen => seen.includes(20),
  )
  expect((await entriesOf(pool)).filter(({ lane }) => lane === 'typed').map(({ state }) => state)).toEqual([
    'admitted',
    'waiting',
    'waiting',
    'waiting',
  ])
  await setLimit(pool, 'jobs', 'typed', { by: 'type', removed: true })
  await until(
    async () => began,
    seen => [20, 21, 22, 23].every(n => seen.includes(n)),
  )
})
