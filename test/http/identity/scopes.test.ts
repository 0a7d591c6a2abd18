import { beforeAll, describe, expect, test } from 'vitest'
import { commandIdFor, type Role } from '../../../src/index.ts'
import { createTestApi, sharedTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectProblem } from '../../support/problem.ts'
import { addressOf, commandRoutes } from '../contract/table.ts'
import { footprint } from '../server/footprint.ts'

const shared = sharedTestApi()
/** All roles except those that reach all tenants. */
const most = ['SENDER', 'OPERATOR', 'AUDITOR', 'CUSTOMER_ADMIN', 'USER'] as const
const tokenOf = (...more: readonly Role[]) => shared().token([...most, ...more])

let pending = ''
let stuck = ''
let nobodys = ''
beforeAll(async () => {
  pending = (await shared().bus.send('payments', 'Charge', {}, { tenantId: 't1' })).commandId
  stuck = await parked(shared(), 'billing', {}, { tenantId: 't1' })
  nobodys = await parked(shared(), 'shipping', {})
})

describe.each(commandRoutes)('G3: %s with a token without a tenant', (_, route) => {
  test.each([
    ['pending', () => [pending, 'payments']],
    ['parked', () => [stuck, 'billing']],
  ] as const)('knows no %s command of a tenant', async (_which, key) => {
    const [commandId = '', domain = ''] = key()
    const before = await footprint(shared())
    const answer = await shared().request(...addressOf(route, commandId, domain), {
      token: await tokenOf(),
      body: route.body,
    })
    if (route.unknown === 'empty list') expect(answer.body).toEqual({ items: [] })
    else expectProblem(answer, 404, route.unknown)
    expect(await footprint(shared())).toEqual(before)
  })
})

test.each(['/commands', '/troubleshooting', '/troubleshooting/groups', '/troubleshooting/history?at=2099-01-01'])(
  'G3: %s has what belongs to no tenant for a token without a tenant, and everything for an administrator',
  async path => {
    const domainsOf = async (...more: readonly Role[]) => {
      const { body } = await shared().request('GET', path, { token: await tokenOf(...more) })
      return [...new Set((body.items ?? []).map((item: { domain: string }) => item.domain))].sort()
    }
    const [own, all] = [await domainsOf(), await domainsOf('ADMIN')]
    expect(own).toEqual(['shipping'])
    expect(all).toEqual(expect.arrayContaining(['billing', 'shipping']))
  },
)

test('G3: stats for a token without a tenant count what belongs to no tenant', async () => {
  const stats = async (...more: readonly Role[]) =>
    (await shared().request('GET', '/stats', { token: await tokenOf(...more) })).body
  expect((await stats()).domains.map(({ domain }: { domain: string }) => domain)).toEqual(['shipping'])
  expect((await stats('ADMIN')).domains).toHaveLength(3)
})

test('G3: an action of a token without a tenant selects what belongs to no tenant, and is not shown to tenants', async () => {
  const token = await tokenOf()
  const answer = await shared().request('POST', '/troubleshooting/actions/dry-run', {
    token,
    body: { action: 'retry', filter: {} },
  })
  expect(answer).toMatchObject({ status: 200, body: { total: 1 } })
  const { actionId } = await shared()
    .bus.as({ subject: 'joe', tenant: null, roles: ['OPERATOR'] })
    .troubleshooting.start({ action: 'cancel', filter: {}, reason: 'none of ours' })
  const seen = async (tenant?: string, ...roles: readonly Role[]) =>
    (
      await shared().request('GET', `/troubleshooting/actions/${actionId}`, {
        token: await shared().token(roles, tenant === undefined ? {} : { tenant }),
      })
    ).status
  expect(await seen(undefined, 'OPERATOR')).toBe(200)
  expect(await seen('t1', 'OPERATOR')).toBe(404)
  expect(await seen(undefined, 'ADMIN')).toBe(200)
  expect((await shared().bus.getCommand('shipping', nobodys))?.status).toBe('IN_TROUBLESHOOTING_QUEUE')
})

test('G3: a token without a tenant reaches runs and credits of the default tenant; all of them only with BUBBLE_ADMIN', async () => {
  const api = await createTestApi()
  const bubble = await api.token(['BUBBLE_ADMIN'])
  const customer = await api.token(['CUSTOMER_ADMIN'])
  for (const tenantId of ['t1', 'default']) {
    const body = { pool: 'purchased', amount: 5, reason: 'a gift', tenantId }
    expect((await api.request('POST', '/credits/grants', { token: bubble, body })).status).toBeLessThan(300)
  }
  const own = await api.request('GET', '/credits', { token: customer })
  expect(own.body).toMatchObject({ tenantId: 'default', purchased: 5 })
  expectProblem(await api.request('GET', '/credits?tenantId=t1', { token: customer }), 403, 'FORBIDDEN')
  expectProblem(await api.request('GET', '/workflow-runs?tenantId=t1', { token: customer }), 403, 'FORBIDDEN')
  expect((await api.request('GET', '/credits?tenantId=t1', { token: bubble })).body).toMatchObject({ purchased: 5 })
})

test('G3: ids of business keys are the same for the same key, and differ between tenants and domains', () => {
  const id = commandIdFor('t1', 'payments', 'order 7')
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(commandIdFor('t1', 'payments', 'order 7')).toBe(id)
  const others = [
    commandIdFor('t2', 'payments', 'order 7'),
    commandIdFor(null, 'payments', 'order 7'),
    commandIdFor('t1', 'billing', 'order 7'),
    commandIdFor('t1', 'payments', 'order 8'),
    commandIdFor('t1","payments', '', 'order 7'),
  ]
  expect(new Set([id, ...others]).size).toBe(6)
})

describe('G2: the domains of operations and runs', () => {
  test.each(['operations', 'workflow'])('%s refuses plain sends and plain cancels', async domain => {
    const api = await createTestApi()
    const token = await api.token(['SENDER', 'ADMIN', 'USER', 'OPERATOR'])
    const body = { commandType: 'X', data: 1 }
    const before = await footprint(api)
    const at = `/domains/${domain}/commands`
    for (const answer of [
      await api.request('POST', at, { token, body }),
      await api.request('POST', `${at}/batch`, { token, body: { commands: [body] } }),
      await api.request('DELETE', `${at}/00000000-0000-4000-8000-00000000dead`, { token }),
    ]) {
      expectProblem(answer, 403, 'DOMAIN_RESERVED')
    }
    expect(await footprint(api)).toEqual(before)
    expect((await api.bus.send('other', 'X', 1)).domain).toBe('other')
  })

  test('a configured domain of runs is closed instead of the default one', async () => {
    const api = await createTestApi({}, { workflows: { domain: 'files' } })
    const token = await api.token(['SENDER'])
    const send = (domain: string) =>
      api.request('POST', `/domains/${domain}/commands`, { token, body: { commandType: 'X', data: 1 } })
    expectProblem(await send('files'), 403, 'DOMAIN_RESERVED')
    expect((await send('workflow')).status).toBe(202)
  })
})
