import { describe, expect, test } from 'vitest'
import type { Role } from '../../../src/index.ts'
import type { HealthReport } from '../../../src/infrastructure/http/pages/health.ts'
import { createTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

const critical: HealthReport = {
  status: 'critical',
  reasons: ['the database is read-only'],
  checks: { database: { status: 'critical', reasons: ['the database is read-only'] } },
}
const watchers: readonly Role[] = ['OPERATOR', 'AUDITOR', 'ADMIN']
const others: readonly Role[] = ['SENDER', 'USER', 'CUSTOMER_ADMIN', 'BUBBLE_ADMIN']

describe('/health/ready', () => {
  test('G12: shows only the status to a stranger, and answers 503 when it is critical', async () => {
    for (const [status, code] of [
      ['healthy', 200],
      ['degraded', 200],
      ['critical', 503],
    ] as const) {
      const api = await createTestApi({ health: async () => ({ ...critical, status }) })
      const asked = [
        {},
        { token: 'not.a.token' },
        { headers: { authorization: 'Basic abc' } },
        ...(await Promise.all(others.map(async role => ({ token: await api.token([role]) })))),
        // health is of all tenants
        { token: await api.token(['ADMIN'], { tenant: 'acme' }) },
      ]
      for (const options of asked) {
        const answer = await api.request('GET', '//health/ready', options)
        expect([answer.status, answer.body]).toEqual([code, { status }])
        expect(answer.headers.get('retry-after') !== null).toBe(code === 503)
      }
    }
  })

  test('G12: shows reasons and checks to auditors, operators and administrators', async () => {
    const api = await createTestApi({ health: async () => critical })
    for (const role of watchers) {
      const answer = await api.request('GET', '//health/ready', { token: await api.token([role]) })
      expect([answer.status, answer.body]).toEqual([503, critical])
    }
    const live = await api.request('GET', '//health/live')
    expect(live).toMatchObject({
      status: 200,
      body: { status: 'alive', pid: process.pid, uptimeSeconds: expect.any(Number) },
    })
  })
})

describe('/metrics', () => {
  test('G12: needs a token of an auditor, operator or administrator', async () => {
    const api = await createTestApi({ metrics: async () => 'figures 1\n' })
    const ask = async (token?: string) => api.request('GET', '//metrics', token === undefined ? {} : { token })
    expectProblem(await ask(), 401, 'UNAUTHENTICATED', 'send a token')
    for (const role of others)
      expectProblem(await ask(await api.token([role])), 403, 'FORBIDDEN', 'AUDITOR, OPERATOR, ADMIN')
    expectProblem(await ask(await api.token(['ADMIN'], { tenant: 'acme' })), 403, 'FORBIDDEN', 'without a tenant')
    for (const role of watchers) expect(await ask(await api.token([role]))).toMatchObject({ status: 200 })
  })
})

test('G12: health and metrics are computed once a second, however many ask', async () => {
  const made = { health: 0, metrics: 0 }
  const api = await createTestApi({
    health: async () => {
      made.health++
      return critical
    },
    metrics: async () => {
      made.metrics++
      return 'figures 1\n'
    },
  })
  const token = await api.token(['AUDITOR'])
  const began = performance.now()
  const ask = (path: string) => api.request('GET', path, { token })
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 100 }, (_, i) => ask(i % 2 === 0 ? '//health/ready' : '//metrics')))
  const most = Math.ceil((performance.now() - began) / 1000) + 1
  expect(made.health).toBeGreaterThan(0)
  expect(made.health).toBeLessThanOrEqual(most)
  expect(made.metrics).toBeGreaterThan(0)
  expect(made.metrics).toBeLessThanOrEqual(most)
})
