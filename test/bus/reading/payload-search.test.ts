import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sortedWithPayload } from '../../../src/infrastructure/postgres/reading/sorted-commands.ts'
import { archiveOld } from '../../../src/infrastructure/proof/archive/archive.ts'
import { parseSigner, type Signer } from '../../../src/infrastructure/proof/chain/keys.ts'
import { createTestBus, logIsSeparate, type TestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'

const OPERATOR = { operator: 'jane' }

const found = async ({ bus }: Pick<TestBus, 'bus'>, path: string, value: string | number, filter = {}) =>
  (await bus.queryCommands({ payload: { path, value: String(value) }, ...filter })).items.map(
    ({ commandId }) => commandId,
  )

const values = async ({ pool }: Pick<TestBus, 'pool'>) =>
  (
    await pool.query(
      'select domain, command_id, path, value from command_bus_search_value where value is not null order by 1, 2, 3',
    )
  ).rows

test('O7: commands are found by declared paths of their payloads: those that are sent, and those that were there before', async () => {
  const tested = await createTestBus()
  const { bus } = tested
  const before = await bus.send('payments', 'Charge', { orderId: 'ORD-1', customer: { id: 7, vip: true }, note: 'x' })
  await bus.send('payments', 'Refund', { orderId: 'ORD-1' })
  await expect(found(tested, 'orderId', 'ORD-1')).rejects.toThrow(
    "payload: 'orderId' is not declared for search (no path is): declare it with `commandbus search declare`",
  )
  const declared = await bus.search.declare({
    commandType: 'Charge',
    paths: ['orderId', 'customer.id', 'customer.vip'],
  })
  expect(
    declared.map(({ path, filledAt, declaredBy, domain }) => [path, filledAt === null, declaredBy, domain]),
  ).toEqual([
    ['customer.id', false, 'operator', null],
    ['customer.vip', false, 'operator', null],
    ['orderId', false, 'operator', null],
  ])
  expect(await found(tested, 'orderId', 'ORD-1')).toEqual([before.commandId])

  const alone = await bus.send('shipping', 'Charge', { orderId: 'ORD-1', customer: { id: 8 } })
  const [first, second] = await bus.sendBatch('payments', [
    { commandType: 'Charge', data: { orderId: 'ORD-2', customer: { id: '7' } } },
    // not a value that is searched by
    { commandType: 'Charge', data: { orderId: ['ORD-1'], customer: 'ORD-1' } },
  ])
  const long = `${'å'.repeat(199)}😀 and more`
  const wide = await bus.send('payments', 'Charge', { orderId: long }, { delaySeconds: 60 })
  expect(await found(tested, 'orderId', 'ORD-1')).toEqual([alone.commandId, before.commandId])
  expect(await found(tested, 'orderId', 'ORD-1', { domain: 'payments' })).toEqual([before.commandId])
  expect((await found(tested, 'customer.id', 7)).toSorted()).toEqual([before.commandId, first?.commandId].toSorted())
  expect(await found(tested, 'customer.vip', 'true')).toEqual([before.commandId])
  // another member has this value
  expect(await found(tested, 'orderId', 7)).toEqual([])
  expect(await found(tested, 'orderId', long)).toEqual([wide.commandId])
  expect(await found(tested, '*', 'ORD-2')).toEqual([first?.commandId])
  expect(await found(tested, '*', 'ORD')).toEqual([])
  expect((await values(tested)).some(({ command_id: id }) => id === second?.commandId)).toBe(false)
  await expect(found(tested, 'note', 'x')).rejects.toThrow('declared are customer.id, customer.vip, orderId')

  const pages: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await bus.queryCommands({
      payload: { path: 'orderId', value: 'ORD-1' },
      limit: 1,
      ...(cursor === undefined ? {} : { cursor }),
    })
    pages.push(...page.items.map(({ commandId }) => commandId))
    cursor = page.nextCursor
  }
  expect(pages).toEqual([alone.commandId, before.commandId])

  expect(await bus.search.drop({ commandType: 'Charge', path: 'customer.id' })).toBe(true)
  expect(await bus.search.drop({ commandType: 'Charge', path: 'customer.id' })).toBe(false)
  expect((await values(tested)).some(({ path }) => path === 'customer.id')).toBe(false)
  await expect(bus.search.declare({ commandType: 'Charge', paths: ['a b'] })).rejects.toThrow('paths[0]: must be names')
  await expect(bus.search.declare({ commandType: 'Charge', paths: [] })).rejects.toThrow('a list of 1 to 20')
})

test('O7: an edited payload is found by its new values; rebuild and verify keep the values right', async () => {
  const tested = await createTestBus()
  const { bus, pool, database } = tested
  await bus.search.declare({ domain: 'payments', commandType: 'Charge', paths: ['orderId', 'shop'] })
  const edited = await parked(tested, 'payments', { orderId: 'ORD-1', shop: 'a' })
  const kept = await parked(tested, 'payments', { orderId: 'ORD-1', shop: 'b' })
  await bus.send('shipping', 'Charge', { orderId: 'ORD-1' })
  await bus.troubleshooting.retry('payments', edited, { ...OPERATOR, data: { orderId: 'ORD-2' } })
  await bus.troubleshooting.retry('payments', kept, OPERATOR)
  const right = await values(tested)
  expect(
    right.map(({ command_id: id, path, value }) => `${id === edited ? 'edited' : 'kept'} ${path} ${value}`).toSorted(),
  ).toEqual(['edited orderId ORD-2', 'kept orderId ORD-1', 'kept shop b'])
  expect(await bus.maintenance.verify()).toEqual([])

  // a filling that had read the payload before the edit must not bring its values back
  await pool.query('update command_bus_searchable set filled_at = null')
  await bus.search.settle()
  expect(await values(tested)).toEqual(right)

  await pool.query(`update command_bus_search_value set value = 'ORD-9' where command_id = $1 and path = 'orderId'`, [
    edited,
  ])
  await pool.query(`delete from command_bus_search_value where command_id = $1 and path = 'shop'`, [kept])
  await pool.query(`insert into command_bus_search_value select 'payments', $1, 'orderId', 'ORD-1', now()`, [
    randomUUID(),
  ])
  const drift = await bus.maintenance.verify()
  expect(drift.map(({ column, expected, found: has }) => [column, expected, has])).toEqual(
    expect.arrayContaining([
      ['value', 'ORD-2', 'ORD-9'],
      ['*', 'b', null],
      ['*', null, 'ORD-1'],
    ]),
  )
  expect(drift).toHaveLength(3)
  if (!logIsSeparate) {
    const { findings } = await bus.maintenance.verifyLog()
    expect(findings.filter(({ kind }) => kind === 'row')).toHaveLength(3)
  }
  await bus.maintenance.rebuild()
  expect(await values(tested)).toEqual(right)
  expect(await bus.maintenance.verify()).toEqual([])
  expect(database.url).not.toBe('')
})

test('O7: tenants find their own commands only, and declare nothing', async () => {
  const { bus } = await createTestBus()
  await bus.search.declare({ commandType: 'Charge', paths: ['orderId'] })
  const anna = bus.as({ subject: 'anna', tenant: 'acme', roles: ['OPERATOR', 'SENDER'] })
  const own = await anna.send('payments', { commandType: 'Charge', data: { orderId: 'ORD-1' } })
  await bus.send('payments', 'Charge', { orderId: 'ORD-1' })
  const { items } = await anna.queryCommands({ payload: { path: 'orderId', value: 'ORD-1' } })
  expect(items.map(({ commandId }) => commandId)).toEqual([own.commandId])
  await expect(anna.search.declare({ commandType: 'Charge', paths: ['x'] })).rejects.toThrow('a token without a tenant')
  await expect(anna.search.drop({ commandType: 'Charge', path: 'orderId' })).rejects.toThrow('a token without a tenant')
})

test('O7: commands are found by the beginning of their id and by the message of a failure', async () => {
  const { bus, until } = await createTestBus()
  const commandId = '0a0b0c0d-0000-7000-8000-00000000abcd'
  await bus.send('payments', 'Charge', {}, { commandId })
  await bus.send('payments', 'Charge', {}, { commandId: '0a0b0c0e-0000-7000-8000-00000000abcd' })
  const ids = async (filter: Parameters<typeof bus.queryCommands>[0]) =>
    (await bus.queryCommands(filter)).items.map(one => one.commandId)
  expect(await ids({ idPrefix: '0A0B0C0D' })).toEqual([commandId])
  expect(await ids({ idPrefix: '0a0b0c0d-0000-7' })).toEqual([commandId])
  expect(await ids({ idPrefix: commandId, domain: 'payments' })).toEqual([commandId])
  await expect(ids({ idPrefix: '0a0b0c0' })).rejects.toThrow('the first 8 to 36 characters')
  await expect(ids({ idPrefix: 'nonsense' })).rejects.toThrow('the first 8 to 36 characters')
  const declined = await parked({ bus, until }, 'shipping')
  expect(await ids({ message: 'CARD WAS', status: 'IN_TROUBLESHOOTING_QUEUE' })).toEqual([declined])
  expect(await ids({ message: '100%', status: 'IN_TROUBLESHOOTING_QUEUE' })).toEqual([])
  expect(await ids({ message: 'card', status: 'FAILED' })).toEqual([])
  await expect(ids({ message: 'card' })).rejects.toThrow('give status FAILED or IN_TROUBLESHOOTING_QUEUE with it')
})

// what is shown of one server's locks and indexes
test.skipIf(logIsSeparate)(
  'O7: a send that does not see a declaration is filled in later: filling waits for those who write',
  async () => {
    const tested = await createTestBus()
    const { bus, pool, until } = tested
    const client = await pool.connect()
    await client.query('begin')
    const { commandId } = await bus.send('payments', 'Charge', { orderId: 'ORD-1' }, { client })
    const declaring = bus.search.declare({ commandType: 'Charge', paths: ['orderId'] })
    await until(
      () => bus.search.declared(),
      all => all.length === 1,
    )
    expect((await bus.search.declared())[0]?.filledAt).toBeNull()
    await client.query('commit')
    client.release()
    expect((await declaring)[0]?.filledAt).not.toBeNull()
    expect(await found(tested, 'orderId', 'ORD-1')).toEqual([commandId])
  },
)

test.skipIf(logIsSeparate)(
  'O7: a page of commands with a frequent value reads the index of values, and stops',
  async () => {
    const tested = await createTestBus()
    const { bus, pool } = tested
    await bus.search.declare({ commandType: 'Charge', paths: ['shop'] })
    await bus.sendBatch(
      'payments',
      Array.from({ length: 3_000 }, () => ({ commandType: 'Charge', data: { shop: 'big' } })),
    )
    await pool.query('analyze')
    const parameters: unknown[] = []
    const query = sortedWithPayload(
      'c.command_id',
      { payload: { path: 'shop', value: 'big' }, where: 'true', limit: 20 },
      parameters,
    )
    const { rows } = await pool.query(`explain (analyze, format json) ${query}`, parameters)
    const scans = JSON.stringify(rows).match(/"Node Type":"[^"]*Scan"[^{}]*"Actual Rows":[0-9.]+/g) ?? []
    expect(scans.join()).toContain('command_bus_search_value_newest')
    expect(scans.every(scan => Number(/[0-9.]+$/.exec(scan)) <= 20)).toBe(true)
    expect(await found(tested, 'shop', 'big', { limit: 20 })).toHaveLength(20)
  },
)

test.skipIf(logIsSeparate)(
  'O7: types without a declaration cost nothing: nothing is written for them, and nothing is called',
  async () => {
    const tested = await createTestBus()
    const { bus, pool, until } = tested
    // a call of these would fail
    await pool.query('alter function command_bus_search_sent(text[], uuid[], jsonb[], jsonb[]) rename to gone_sent')
    await pool.query('alter function command_bus_search_unit(jsonb, text[]) rename to gone_unit')
    const id = await parked({ bus, until }, 'payments', { orderId: 'ORD-1' })
    await bus.send('payments', 'Charge', { orderId: 'ORD-2' }, { delaySeconds: 60 })
    await bus.troubleshooting.retry('payments', id, { ...OPERATOR, data: { orderId: 'ORD-3' } })
    await pool.query('alter function gone_sent(text[], uuid[], jsonb[], jsonb[]) rename to command_bus_search_sent')
    await pool.query('alter function gone_unit(jsonb, text[]) rename to command_bus_search_unit')
    await bus.search.declare({ commandType: 'Refund', paths: ['orderId'] })
    await bus.sendBatch('payments', [{ commandType: 'Charge', data: { orderId: 'ORD-4' } }])
    expect(await values(tested)).toEqual([])
  },
)

test.skipIf(logIsSeparate)('O7: the values of archived commands leave with them', async () => {
  const tested = await createTestBus()
  const { bus, pool, work, until } = tested
  await bus.search.declare({ commandType: 'Charge', paths: ['orderId'] })
  await bus.send('payments', 'Charge', { orderId: 'ORD-1' })
  const kept = await bus.send('shipping', 'Charge', { orderId: 'ORD-1' })
  await work({ domain: 'payments', handlers: { Charge: () => {} } })
  await until(
    () => bus.queryCommands({ status: 'COMPLETED' }),
    ({ items }) => items.length === 1,
  )
  const signer = parseSigner(randomBytes(32).toString('base64url')) as Signer
  const directory = await mkdtemp(join(tmpdir(), 'commandbus-search-'))
  try {
    const before = new Date(Date.now() + 60_000)
    // a transaction of another test on the same server may hold it up
    const left = await until(
      async () => {
        await archiveOld({ pool, signer, directory, before, by: 'jane', now: () => new Date() })
        return (await values(tested)).map(({ command_id: id }) => id)
      },
      ids => ids.length < 2,
    )
    expect(left).toEqual([kept.commandId])
  } finally {
    await rm(directory, { recursive: true })
  }
  expect((await bus.maintenance.verifyLog()).findings).toEqual([])
})
