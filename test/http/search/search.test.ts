import { expect, test } from 'vitest'
import { api } from '../../../src/contract/index.ts'
import type { Route } from '../../../src/contract/route.ts'
import { itemColumns } from '../../../src/contract/search/item-columns.ts'
import { parkMany } from '../../support/actions.ts'
import { createTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'

test('O7: paths are declared over HTTP, and the list of commands finds their values', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN'])
  const { commandId } = await api.bus.send('payments', 'Charge', { orderId: 'ORD:1' })
  const declared = await api.request('POST', '/search/paths', {
    token,
    body: { commandType: 'Charge', paths: ['orderId'] },
  })
  expect([declared.status, declared.body.items[0].declaredBy]).toEqual([202, 'jane@example.com'])
  await api.until(
    async () => (await api.request('GET', '/search/paths', { token })).body.items,
    items => items[0]?.filledAt !== null,
  )
  const list = (query: string) => api.request('GET', `/commands?${query}`, { token })
  expect((await list('payload=orderId:ORD:1')).body.items.map((one: { commandId: string }) => one.commandId)).toEqual([
    commandId,
  ])
  expect((await list('payload=*:ORD:1')).body.items).toHaveLength(1)
  expect((await list(`idPrefix=${commandId.slice(0, 8)}`)).body.items).toHaveLength(1)
  expectFaults(await list('payload=ORD-1'), 'payload')
  expectFaults(await list('payload=other:1'), 'payload')
  expectFaults(await list('message=x'), 'message')
  const dropped = await api.request('POST', '/search/paths/drop', {
    token,
    body: { commandType: 'Charge', path: 'orderId' },
  })
  expect(dropped.body).toEqual({ dropped: true })
  const ofTenant = await api.token(['OPERATOR'], { tenant: 'acme' })
  const refused = await api.request('POST', '/search/paths', {
    token: ofTenant,
    body: { commandType: 'Charge', paths: ['a'] },
  })
  expectProblem(refused, 403, 'FORBIDDEN')
})

test('O6: who waits for a reply is listed over HTTP, for tenants their own', async () => {
  const api = await createTestApi()
  const id = await parked(api, 'payments', {}, { replyTo: 'shop_replies' })
  await api.pool.query(`update command_bus_command set created_at = date_trunc('second', now() - interval '2 hours')`)
  await api.bus.send('payments', 'Charge', {}, { replyTo: 'desk_replies', tenantId: 'acme' })
  const token = await api.token(['SENDER', 'ADMIN'])
  const { status, body } = await api.request('GET', '/replies/owed?limit=1', { token })
  expect([status, body.total, body.late, body.lateAfterSeconds]).toEqual([200, 2, 1, 3_600])
  expect(body.items).toMatchObject([
    { commandId: id, replyTo: 'shop_replies', late: true, status: 'IN_TROUBLESHOOTING_QUEUE' },
  ])
  expect(body.oldest).toBe(body.items[0].since)
  const next = await api.request('GET', `/replies/owed?limit=1&cursor=${body.nextCursor}`, { token })
  expect([next.body.items[0].replyTo, next.body.nextCursor]).toEqual(['desk_replies', null])
  expect((await api.request('GET', '/replies/owed?late=false', { token })).body.total).toBe(1)
  expectFaults(await api.request('GET', '/replies/owed?lateAfterSeconds=0', { token }), 'lateAfterSeconds')
  const ofTenant = await api.token(['SENDER'], { tenant: 'acme' })
  expect((await api.request('GET', '/replies/owed', { token: ofTenant })).body).toMatchObject({ total: 1 })
})

test('O7: any list answers the same rows as CSV, with the next page in the link', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
  await api.bus.send('payments', 'Charge', { a: 1 }, { correlationId: '=HYPERLINK("http://x"), "y"' })
  await api.bus.send('payments', 'Charge', { a: 2 }, { correlationId: '-Ünïcode' })
  const csv = (path: string, accept = 'text/csv') => api.request('GET', path, { token, headers: { accept } })
  const first = await csv('/commands?limit=1&domain=payments')
  expect(first.status).toBe(200)
  expect(first.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
  expect(first.headers.get('vary')).toContain('accept')
  const [header, row, end] = first.body.split('\r\n')
  const json = (await api.request('GET', '/commands?limit=1&domain=payments', { token })).body
  expect(header.split(',')).toEqual(Object.keys(json.items[0]))
  expect(row).toContain(",'-Ünïcode,")
  expect(end).toBe('')
  const [, address = ''] = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '') ?? []
  const second = await csv(address, 'application/json;q=0.5, text/csv')
  expect(second.body).toContain(',"\'=HYPERLINK(""http://x""), ""y""",')
  expect(second.headers.get('link')).toBeNull()
  expect((await csv('/commands?status=FAILED')).body).toBe(`${header}\r\n`)

  for (const path of [
    '/troubleshooting',
    '/troubleshooting/groups',
    '/replies/owed',
    '/lanes',
    '/schedules',
    '/workers',
    '/alerts',
    '/troubleshooting/causes',
    '/views',
    '/workflow-runs',
    '/troubleshooting/history',
  ]) {
    const { status, headers, body } = await csv(path)
    expect([path, status, headers.get('content-type')]).toEqual([path, 200, 'text/csv; charset=utf-8; header=present'])
    expect(body).toMatch(/^[a-zA-Z_]+(,[a-zA-Z_]+)+\r\n$/)
  }
  // a count goes on in the cursor; nothing is counted for CSV
  await parkMany(api.pool, 2)
  expect((await api.request('GET', '/troubleshooting?limit=1', { token })).body.nextCursor).toMatch(/\.2$/)
  expect((await csv('/troubleshooting?limit=1')).headers.get('link')).toMatch(/cursor=[\w-]+>/)
  // what is no list stays JSON
  expect((await csv('/stats')).body).toMatchObject({ domains: expect.any(Array) })
  expectProblem(await csv('/commands?cursor=x'), 400, 'INVALID_REQUEST')
  const described = (await api.request('GET', '//openapi.json', { token })).body.paths
  const said = (path: string) => described[`/api/v1${path}`].get.responses['200'].description
  expect([said('/commands'), said('/stats')]).toEqual([expect.stringContaining('text/csv'), 'Done'])
})

test('O7: each answer with items is a list with columns', () => {
  const reads = Object.entries(api).filter(([, { method }]) => method === 'GET') as [string, Route][]
  // these answer one thing
  const one = /^(get(?!AuditTrail|Attempts|Correlation|History|RunHistory|Action)|explain|preview)/
  for (const [id, route] of reads) expect([id, (itemColumns(route)?.length ?? 0) > 0]).toEqual([id, !one.test(id)])
})

test('O7: views are kept for one person or shared in the tenant', async () => {
  const api = await createTestApi()
  const jane = await api.token(['OPERATOR'], { tenant: 'acme' })
  const tom = await api.token(['AUDITOR'], { sub: 'tom@example.com', tenant: 'acme' })
  const other = await api.token(['OPERATOR'], { sub: 'eve@example.com', tenant: 'evil' })
  const put = (token: string, name: string, body: unknown) =>
    api.request('PUT', `/views/${encodeURIComponent(name)}`, { token, body })
  const names = async (token: string) =>
    (await api.request('GET', '/views', { token })).body.items.map(
      ({ name, shared }: { name: string; shared: boolean }) => `${name}${shared ? ' (shared)' : ''}`,
    )
  const mine = await put(jane, 'Mine / today', { list: 'commands', filter: { status: 'FAILED', createdAfter: '-1h' } })
  expect([mine.status, mine.body]).toMatchObject([
    200,
    { name: 'Mine / today', shared: false, updatedBy: 'jane@example.com' },
  ])
  await put(jane, 'Parked', { list: 'troubleshooting', filter: { domain: 'payments' }, shared: true })
  expectProblem(await put(tom, 'Parked', { list: 'troubleshooting', filter: {}, shared: true }), 403, 'FORBIDDEN')
  await put(tom, 'Parked', { list: 'troubleshooting', filter: { domain: 'shipping' } })
  expect(await names(jane)).toEqual(['Mine / today', 'Parked (shared)'])
  expect(await names(tom)).toEqual(['Parked (shared)', 'Parked'])
  expect(await names(other)).toEqual([])
  const own = await api.request('GET', '/views/Parked', { token: tom })
  expect(own.body.filter).toEqual({ domain: 'shipping' })
  expectFaults(await put(jane, 'x', { list: 'commands', filter: { q: 'x' } }), 'filter')
  expectFaults(await put(jane, 'x', { list: 'commands', filter: { status: 1 } }), 'filter.status')
  expectProblem(await api.request('DELETE', '/views/Parked?shared=true', { token: tom }), 403, 'FORBIDDEN')
  expect((await api.request('DELETE', '/views/Parked', { token: tom })).status).toBe(200)
  expectProblem(await api.request('DELETE', '/views/Parked', { token: tom }), 404, 'NOT_FOUND')
  expect(await names(tom)).toEqual(['Parked (shared)'])
})
