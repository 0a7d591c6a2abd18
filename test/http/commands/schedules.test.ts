import { expect, test } from 'vitest'
import { createTestApi } from '../../support/http.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'

const nightly = { domain: 'reports', commandType: 'Nightly', data: { kind: 'sales' }, cron: '30 2 * * *' }

test('F10: over HTTP: set, read, pause, resume, run now and delete, within the tenant of the token', async () => {
  const api = await createTestApi()
  const as = async (tenant: string) => ({ token: await api.token(['OPERATOR'], { sub: `ann@${tenant}`, tenant }) })
  const [acme, other] = [await as('acme'), await as('other')]
  const at = '/schedules/sales.nightly'
  const set = await api.request('PUT', at, { ...acme, body: { ...nightly, timeZone: 'Europe/Berlin', missed: 'once' } })
  expect(set).toMatchObject({ status: 200, body: { name: 'sales.nightly', tenantId: 'acme', createdBy: 'ann@acme' } })
  expect(set.body.next).toHaveLength(5)
  expect((await api.request('GET', at, acme)).body).toEqual(set.body)
  expect((await api.request('GET', '/schedules?domain=reports', acme)).body).toMatchObject({ items: [set.body] })
  expect((await api.request('GET', '/schedules', other)).body.items).toEqual([])
  expectProblem(await api.request('GET', at, other), 404, 'SCHEDULE_NOT_FOUND')
  expectProblem(await api.request('PUT', at, { ...other, body: nightly }), 409, 'SCHEDULE_NAME_TAKEN')
  const paused = await api.request('POST', `${at}/pause`, { ...acme, body: { reason: 'month end' } })
  expect(paused.body).toMatchObject({ status: 'PAUSED', pausedBy: 'ann@acme', next: [] })
  const sent = await api.request('POST', `${at}/run`, acme)
  expect(sent).toMatchObject({ status: 202, body: { domain: 'reports', status: 'PENDING' } })
  expect(await api.bus.getCommand('reports', sent.body.commandId)).toMatchObject({ tenantId: 'acme' })
  expect((await api.request('POST', `${at}/resume`, acme)).body).toMatchObject({ status: 'ACTIVE' })
  expect((await api.request('DELETE', at, acme)).body).toEqual({ name: 'sales.nightly' })
  expectProblem(await api.request('GET', at, acme), 404, 'SCHEDULE_NOT_FOUND')
})

test('F10: a wrong cron, zone or interval is 400 with its place, and nothing is done', async () => {
  const api = await createTestApi()
  const token = await api.token(['OPERATOR'])
  const { cron: _, ...rest } = nightly
  const put = (body: object) => api.request('PUT', '/schedules/nightly', { token, body })
  const wrong = await put({ ...nightly, cron: '30 25 * * *' })
  expectFaults(wrong, 'cron')
  expect(wrong.body.errors[0].message).toMatch(/^'25' in field 2 \(hour\) is not valid/)
  for (const [body, field] of [
    [{ ...nightly, cron: '0 0 31 2 *' }, 'cron'],
    [{ ...nightly, timeZone: 'Mars' }, 'timeZone'],
    [{ ...nightly, everySeconds: 60 }, 'cron'],
    [{ ...rest, everySeconds: 0 }, 'everySeconds'],
    [{ ...nightly, domain: 'No!' }, 'domain'],
    [{ ...nightly, missed: 'some' }, 'missed'],
  ] as const)
    expectFaults(await put(body), field)
  expect((await api.bus.schedules.list()).items).toEqual([])
})
