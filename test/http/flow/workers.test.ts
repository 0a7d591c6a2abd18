import { expect, test } from 'vitest'
import { createTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

test('O8: workers, and what no worker is there for, over HTTP', async () => {
  const api = await createTestApi()
  const auditor = { token: await api.token(['AUDITOR']) }
  const get = async (path: string, as = auditor) => (await api.request('GET', path, as)).body.items
  await api.work({ domain: 'mail', workerId: 'w', build: 'b1', handlers: { '*': async () => null } })
  await api.until(
    () => get('/workers'),
    items => items.length === 1,
  )
  expect(await get('/workers')).toMatchObject([{ workerId: 'worker:w', domain: 'mail', build: 'b1', status: 'live' }])
  expect(await get('/workers?domain=other')).toEqual([])
  await api.bus.send('nowhere', 'Greet', {})
  expect(await get('/workers/missing')).toMatchObject([{ domain: 'nowhere', commandType: null, pending: 1 }])
  expect(await get('/workers/missing?domain=mail')).toEqual([])
  const acme = { token: await api.token(['AUDITOR'], { tenant: 'acme' }) }
  expect(await get('/workers', acme)).toMatchObject([{ workerId: 'worker:w', host: null, pid: null }])
  expect(await get('/workers/missing', acme)).toEqual([])
  expectProblem(await api.request('GET', '/workers?domain=No', auditor), 400, 'INVALID_REQUEST', /domain/)
})
