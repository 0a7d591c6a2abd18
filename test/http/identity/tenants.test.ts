import { beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createTestApi, sharedTestApi } from '../../support/http.ts'
import { auditNames, parked } from '../../support/park.ts'
import { expectProblem } from '../../support/problem.ts'
import { addressOf, commandRoutes } from '../contract/table.ts'
import { footprint } from '../server/footprint.ts'

const shared = sharedTestApi()
const everything = ['ADMIN', 'SENDER', 'OPERATOR', 'AUDITOR', 'CUSTOMER_ADMIN', 'BUBBLE_ADMIN', 'USER'] as const
const tokenOf = (tenant?: string) => shared().token(everything, tenant === undefined ? {} : { tenant })

let pending = ''
let stuck = ''
let nobodys = ''

beforeAll(async () => {
  const { bus } = shared()
  pending = (await bus.send('payments', 'Charge', {}, { tenantId: 't1' })).commandId
  nobodys = await parked(shared(), 'shipping', {}, { errorCode: 'NO_ROUTE' })
  stuck = await parked(shared(), 'billing', { secret: 'of t1' }, { tenantId: 't1' })
})

describe.each(commandRoutes)('%s of a command', (_, route) => {
  const known = [
    ['a pending command of another tenant', () => [pending, 'payments']],
    ['a parked command of another tenant', () => [stuck, 'billing']],
    ['a command that has no tenant', () => [nobodys, 'shipping']],
  ] as const

  test.each(known)('counts as unknown for %s, and is not changed', async (_which, key) => {
    const [commandId = '', domain = ''] = key()
    const before = await footprint(shared())
    const foreign = await tokenOf('t2')
    const answer = await shared().request(...addressOf(route, commandId, domain), { token: foreign, body: route.body })
    if (route.unknown === 'empty list') expect(answer.body).toEqual({ items: [] })
    else expectProblem(answer, 404, route.unknown)
    expect(await footprint(shared())).toEqual(before)
    const unknown = await shared().request(...addressOf(route, undefined, domain), { token: foreign, body: route.body })
    const same = JSON.stringify(unknown.body).replaceAll('00000000-0000-4000-8000-00000000dead', commandId)
    expect(JSON.stringify(answer.body)).toBe(same)
  })
})

test.each([
  '/commands',
  '/commands?limit=1',
  '/commands?domain=billing',
  '/domains/payments/commands',
  '/domains/billing/commands?status=IN_TROUBLESHOOTING_QUEUE',
  '/troubleshooting',
  '/troubleshooting?q=declined',
  '/troubleshooting/groups',
])("%s has only the rows of the token's tenant", async path => {
  const list = async (tenant?: string) => (await shared().request('GET', path, { token: await tokenOf(tenant) })).body
  const foreign = await list('t2')
  expect([foreign.items, foreign.nextCursor ?? null, foreign.total ?? 0]).toEqual([[], null, 0])
  const own = await list('t1')
  expect(own.items.length).toBeGreaterThan(0)
  for (const item of own.items) {
    if (item.tenantId !== undefined) expect(item.tenantId).toBe('t1')
    else if (item.commandId !== undefined) expect(item.commandId).toBe(stuck)
    else expect(item).toMatchObject({ domain: 'billing', count: 1 })
  }
  expect((await list()).items.length).toBeGreaterThanOrEqual(own.items.length)
})

test('a cursor of one tenant shows nothing to another', async () => {
  const own = await shared().request('GET', '/commands?limit=1', { token: await tokenOf() })
  const path = `/commands?cursor=${own.body.nextCursor}`
  expect((await shared().request('GET', path, { token: await tokenOf('t2') })).body.items).toEqual([])
})

test("a tenant's commands belong to it, sent one by one or in a batch", async () => {
  const api = await createTestApi()
  const token = await api.token(['SENDER'], { tenant: 't1', sub: 'shop@t1' })
  const one = await api.request('POST', '/domains/a/commands', { token, body: { commandType: 'X', data: 1 } })
  const batch = await api.request('POST', '/domains/a/commands/batch', {
    token,
    body: { commands: Array.from({ length: 3 }, () => ({ commandType: 'X', data: 1 })) },
  })
  const ids = [one.body.commandId, ...batch.body.results.map((result: { commandId: string }) => result.commandId)]
  for (const id of ids) {
    expect(await api.bus.getCommand('a', id)).toMatchObject({ tenantId: 't1' })
    expect((await api.bus.getAuditTrail('a', id)).map(({ actor }) => actor)).toEqual(['shop@t1'])
    expect((await api.request('GET', `/domains/a/commands/${id}`, { token })).status).toBe(200)
  }
})

test('G3: an id that another tenant has taken is not reported as a duplicate, and the command of that tenant is unchanged', async () => {
  const noted: Record<string, unknown>[] = []
  const log = { ...silentLog, warn: (fields: object) => void noted.push({ ...fields }) }
  const api = await createTestApi({}, { log })
  const { commandId } = await api.bus.send('a', 'X', { of: 't1' }, { tenantId: 't1' })
  const token = await api.token(['SENDER'], { tenant: 't2' })
  const body = { commandId, commandType: 'Y', data: { of: 't2' } }
  expectProblem(await api.request('POST', '/domains/a/commands', { token, body }), 409, 'COMMAND_ID_TAKEN')
  const batch = await api.request('POST', '/domains/a/commands/batch', { token, body: { commands: [body] } })
  expect(batch.body.results).toEqual([{ commandId, outcome: 'taken', msgId: null }])
  for (const owner of ['t1', undefined]) {
    const again = await api.request('POST', '/domains/a/commands', {
      token: await api.token(['SENDER'], owner === undefined ? {} : { tenant: owner }),
      body,
    })
    expectProblem(again, 409, owner === 't1' ? 'DUPLICATE_COMMAND' : 'COMMAND_ID_TAKEN')
  }
  const reported = noted.filter(line => line.security === 'command id of another tenant')
  expect(reported).toEqual([
    expect.objectContaining({ tenant: 't2', domain: 'a', commandIds: [commandId], count: 1 }),
    expect.objectContaining({ tenant: 't2', domain: 'a', commandIds: [commandId], count: 1 }),
    expect.objectContaining({ tenant: null }),
  ])
  expect(await api.bus.getCommand('a', commandId)).toMatchObject({
    tenantId: 't1',
    commandType: 'X',
    data: { of: 't1' },
  })
})

test('an operator of the tenant, and an administrator of none, may act on its commands', async () => {
  const api = await createTestApi()
  for (const [role, tenant] of [
    ['OPERATOR', 't1'],
    ['ADMIN', undefined],
  ] as const) {
    const commandId = await parked(api, 'a', {}, { tenantId: 't1' })
    const token = await api.token([role], { sub: 'joe', ...(tenant === undefined ? {} : { tenant }) })
    const answer = await api.request('POST', `/domains/a/commands/${commandId}/complete`, { token, body: {} })
    expect(answer.status).toBe(200)
    expect((await auditNames(api.bus, 'a', commandId)).at(-1)).toBe('OPERATOR_COMPLETE')
  }
})

test('a tenant may have any name: it is never used as a pattern or as SQL', async () => {
  const api = await createTestApi()
  await api.bus.send('a', 'X', {}, { tenantId: 't1' })
  for (const tenant of ['%', '_', "t1' or '1'='1", 'T1', 't1 ', ' t1', '*', 'null', 'undefined', '日本']) {
    const token = await api.token(['ADMIN'], { tenant })
    const { status, body } = await api.request('GET', '/commands', { token })
    expect([tenant, status, body.items]).toEqual([tenant, 200, []])
  }
})
