import { expect, test } from 'vitest'
import { createTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

test('F6: a lane of any name is read and changed, and its list has those that are blocked', async () => {
  const api = await createTestApi()
  const operator = { token: await api.token(['OPERATOR'], { sub: 'ann' }) }
  const name = `order 1/2?#%€ ${'x'.repeat(180)}`
  const path = `/domains/shop/lanes/${encodeURIComponent(name)}`
  const [first, second] = [
    await api.bus.send('shop', 'Ship', {}, { key: name }),
    await api.bus.send('shop', 'Ship', {}, { key: name }),
  ]
  expect((await api.request('GET', path, operator)).body).toMatchObject({
    domain: 'shop',
    lane: name,
    width: 1,
    ratePerSecond: null,
    onPark: 'hold',
    running: [first.commandId],
    waiting: 1,
    blockedBy: null,
  })
  const changed = await api.request('PUT', path, {
    ...operator,
    body: { width: 2, ratePerSecond: 0.5, onPark: 'pass' },
  })
  expect(changed).toMatchObject({ status: 200, body: { width: 2, ratePerSecond: 0.5, onPark: 'pass' } })
  expect((await api.request('GET', '/lanes?domain=shop&blocked=false', operator)).body).toMatchObject({
    items: [{ lane: name, width: 2 }],
    nextCursor: null,
  })
  expect((await api.request('GET', '/lanes?blocked=true', operator)).body.items).toEqual([])
  // what a worker does when it finds nothing to read
  await api.pool.query(`select command_bus_admit_lanes('shop')`)
  expect((await api.request('GET', path, operator)).body).toMatchObject({
    running: [first.commandId, second.commandId],
    waiting: 0,
    waitingSince: null,
  })
  const { rows } = await api.pool.query(`select meta->>'actor' as actor from command_bus_event where type = 'LaneSet'`)
  expect(rows).toEqual([{ actor: 'ann' }])
})

test('F6: rules are set, read and removed', async () => {
  const api = await createTestApi()
  const operator = { token: await api.token(['OPERATOR']) }
  const body = { by: 'tenant', width: 3, commandType: 'Charge' }
  const rule = (await api.request('PUT', '/domains/shop/limits/charges', { ...operator, body })).body
  expect(rule).toMatchObject({ ...body, domain: 'shop', name: 'charges', ratePerSecond: null, onPark: 'pass' })
  expect((await api.request('GET', '/domains/shop/limits', operator)).body).toEqual({ items: [rule] })
  expect((await api.request('GET', '/domains/shop/limits/charges', operator)).body).toEqual(rule)
  expect((await api.request('DELETE', '/domains/shop/limits/charges', operator)).status).toBe(200)
  expect((await api.request('GET', '/domains/shop/limits', operator)).body).toEqual({ items: [] })
  expectProblem(await api.request('GET', '/domains/shop/limits/charges', operator), 404, 'NOT_FOUND')
})

test('F6: what is wrong is 400 with the member, and a tenant changes nothing', async () => {
  const api = await createTestApi()
  const operator = { token: await api.token(['OPERATOR']) }
  const put = (body: object, given = operator) => api.request('PUT', '/domains/shop/lanes/a', { ...given, body })
  for (const body of [
    { width: 0 },
    { width: 1, ratePerSecond: 0 },
    { width: 1, onPark: 'stop' },
    { width: 1, rate: 1 },
    {},
  ]) {
    expectProblem(await put(body), 400, 'INVALID_REQUEST')
  }
  expectProblem(await put({ width: 2 }, { token: await api.token(['OPERATOR'], { tenant: 't1' }) }), 403, 'FORBIDDEN')
  expectProblem(await put({ width: 2 }, { token: await api.token(['SENDER']) }), 403, 'FORBIDDEN')
})
