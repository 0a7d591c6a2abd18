import { expect, test } from 'vitest'
import { createTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

test('F4: pauses are made, listed, seen at an instant and ended over HTTP, within the tenant of the token', async () => {
  const api = await createTestApi()
  const token = async (sub: string, tenant?: string) => ({
    token: await api.token(['OPERATOR'], { sub, ...(tenant === undefined ? {} : { tenant }) }),
  })
  const ann = await token('ann')
  const bob = await token('bob', 'acme')
  const pause = { domain: 'mail', commandType: 'Send', reason: 'the provider is down' }
  const made = await api.request('POST', '/flow/pauses', { ...ann, body: pause })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ ...pause, tenantId: null, until: null, pausedBy: 'ann' })
  const { pauseId } = made.body
  expectProblem(await api.request('POST', '/flow/pauses', { ...ann, body: pause }), 409, 'CONFLICT', /paused already/)
  const past = { ...pause, domain: 'other', until: '2020-01-01T00:00:00Z' }
  expectProblem(await api.request('POST', '/flow/pauses', { ...ann, body: past }), 400, 'INVALID_REQUEST', /until/)
  expectProblem(
    await api.request('POST', '/flow/pauses', { ...bob, body: { ...pause, tenantId: 'other' } }),
    403,
    'FORBIDDEN',
  )
  const own = await api.request('POST', '/flow/pauses', { ...bob, body: { domain: 'mail', reason: 'mine' } })
  expect(own.body).toMatchObject({ tenantId: 'acme', pausedBy: 'bob' })

  const listed = async (query: string, as: typeof ann) =>
    (await api.request('GET', `/flow/pauses${query}`, as)).body.items.map((item: { reason: string }) => item.reason)
  expect(await listed('', bob)).toEqual(['mine', 'the provider is down'])
  expect(await listed('', ann)).toEqual(['the provider is down'])
  expect(await listed('?domain=other', ann)).toEqual([])
  expect(await listed(`?at=${new Date(Date.now() - 60_000).toISOString()}`, bob)).toEqual([])
  expectProblem(await api.request('GET', '/flow/pauses?at=then', ann), 400, 'INVALID_REQUEST', /at/)

  expectProblem(await api.request('DELETE', `/flow/pauses/${pauseId}`, bob), 404, 'NOT_FOUND')
  const ended = await api.request('DELETE', `/flow/pauses/${pauseId}`, ann)
  expect(ended.body).toMatchObject({ pauseId, resumedBy: 'ann', resumedAt: expect.any(String) })
  expect(await listed('', ann)).toEqual([])
})
