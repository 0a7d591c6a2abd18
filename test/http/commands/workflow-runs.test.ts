import { describe, expect, test } from 'vitest'
import { demoWorkflowHandlers } from '../../../src/infrastructure/demo/index.ts'
import { createTestApi, type TestApi } from '../../support/http.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'

const UNKNOWN = '00000000-0000-4000-8000-00000000dead'
const busy = { behavior: { failTransientTimes: 99, errorMessage: 'the model is busy' } }

/** A customer of tenant t1 with a template at 2 credits a file, and `credits` in the month's pool. */
const customer = async (api: TestApi, credits: number) => {
  const token = await api.token(['CUSTOMER_ADMIN'], { tenant: 't1' })
  const admin = await api.token(['BUBBLE_ADMIN'])
  const call = (method: string, path: string, body?: unknown) =>
    api.request(method, path, { token, ...(body === undefined ? {} : { body }) })
  const grant = { pool: 'monthly', amount: credits, reason: 'plan', tenantId: 't1' }
  expect((await api.request('POST', '/credits/grants', { token: admin, body: grant })).status).toBe(201)
  const made = await call('POST', '/workflow-templates', { name: 'Summaries', creditsPerRun: 2 })
  expect([made.status, made.headers.get('location')]).toEqual([201, `/api/v1/workflow-templates/${made.body.id}`])
  const start = (...inputs: readonly unknown[]) =>
    call('POST', '/workflow-runs', {
      templateId: made.body.id,
      files: inputs.map((input, i) => ({ fileName: `${i}.pdf`, input })),
    })
  /** A run that has ended. */
  const ended = async (...inputs: readonly unknown[]): Promise<string> => {
    const { id } = (await start(...inputs)).body
    const worker = await api.work({ domain: 'workflow', handlers: demoWorkflowHandlers })
    void api.bus.runs.run()
    await api.until(
      () => call('GET', `/workflow-runs/${id}`),
      ({ body }) => body.endedAt !== null,
    )
    await worker.stop()
    return id
  }
  return { call, start, ended, templateId: made.body.id as string }
}

const quick = { workflows: { policy: { maxAttempts: 1 }, limits: { pollMs: 50 } } }

describe('POST /workflow-runs/:id/retry-failed', () => {
  test('C2, C4, C5: without a body answers 200 with the run, after charging the credits of the preview', async () => {
    const api = await createTestApi({}, quick)
    const { call, ended } = await customer(api, 10)
    const id = await ended({}, busy)
    const preview = await call('GET', `/workflow-runs/${id}/retry-failed`)
    expect(preview).toMatchObject({
      status: 200,
      body: { files: 1, creditsNeeded: 2, creditsAvailable: 6, blockedBy: null },
    })
    const answer = await call('POST', `/workflow-runs/${id}/retry-failed`)
    expect(answer).toMatchObject({
      status: 200,
      body: { id, status: 'RUNNING', round: 2, completedJobs: 0, failedJobs: 0, totalJobs: 2, creditsConsumed: 6 },
    })
    expect(answer.body.perFileResults[1]).toMatchObject({
      index: 1,
      status: 'pending',
      retryAttempt: 1,
      errorMessage: null,
      lastRetriedAt: expect.any(String),
      jobId: `${id}:file:1`,
    })
    const credits = await call('GET', '/credits')
    expect(credits.body).toMatchObject({
      monthly: 4,
      purchased: 0,
      ledger: [{ kind: 'CHARGE', monthly: -2, runId: id }, {}, {}],
    })
    // C3
    const again = await call('POST', `/workflow-runs/${id}/retry-failed`)
    expect([again.status, again.body.code]).toEqual([409, 'ALREADY_RUNNING'])
  })

  test('C3, C5: answers 402 with too few credits and 400 with nothing to retry; nothing changes', async () => {
    const api = await createTestApi({}, quick)
    const { call, ended, start } = await customer(api, 6)
    const id = await ended({}, busy)
    const other = await start({})
    expect(other.status).toBe(202)
    const poor = await call('POST', `/workflow-runs/${id}/retry-failed`)
    expect([poor.status, poor.body.code]).toEqual([402, 'INSUFFICIENT_CREDITS'])
    expect((await start({}, {})).status).toBe(402)
    expect((await call('GET', `/workflow-runs/${id}`)).body).toMatchObject({
      status: 'COMPLETED_WITH_ERRORS',
      round: 1,
    })
    expect((await call('GET', '/credits')).body).toMatchObject({ monthly: 0 })
    const cancelled = await call('POST', `/workflow-runs/${other.body.id}/cancel`, {})
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'CANCELLED' } })
    const refused = await call('POST', `/workflow-runs/${other.body.id}/retry-failed`)
    expect([refused.status, refused.body.code]).toEqual([400, 'INVALID_REQUEST'])
  })

  test("C13: answers 404 for an unknown run, 403 for another tenant's and for other roles", async () => {
    const api = await createTestApi({}, quick)
    const { start } = await customer(api, 10)
    const { id } = (await start({})).body
    const ask = async (path: string, token: string) => {
      const { status, body } = await api.request('POST', path, { token })
      return [status, body.code]
    }
    const foreign = await api.token(['CUSTOMER_ADMIN'], { tenant: 't2' })
    expect(await ask(`/workflow-runs/${UNKNOWN}/retry-failed`, foreign)).toEqual([404, 'RUN_NOT_FOUND'])
    expect(await ask(`/workflow-runs/${id}/retry-failed`, foreign)).toEqual([403, 'FORBIDDEN'])
    expect(await ask(`/workflow-runs/${id}/retry-failed`, await api.token(['ADMIN']))).toEqual([403, 'FORBIDDEN'])
    const grant = { pool: 'monthly', amount: 5, reason: 'x', tenantId: 't2' }
    const bound = await api.token(['BUBBLE_ADMIN'], { tenant: 't1' })
    expect((await api.request('POST', '/credits/grants', { token: bound, body: grant })).status).toBe(403)
  })

  test.each(['/workflow-runs', '/workflow-templates', '/credits'])(
    "G3: answers 403 on %s for another tenant than the token's, and the list for the token's own",
    async path => {
      const api = await createTestApi({}, quick)
      const token = await api.token(['CUSTOMER_ADMIN'], { tenant: 't2' })
      expect((await api.request('GET', `${path}?tenantId=t2`, { token })).status).toBe(200)
      expectProblem(await api.request('GET', `${path}?tenantId=t1`, { token }), 403, 'FORBIDDEN', 'bound to another')
    },
  )
})

test('a repeated grant is the same grant; a known id with another amount is refused with 409 and a reason', async () => {
  const api = await createTestApi({}, quick)
  const admin = await api.token(['BUBBLE_ADMIN'])
  const body = { pool: 'monthly', amount: 5, reason: 'plan', tenantId: 't1', grantId: UNKNOWN }
  const grant = (more: object = {}) =>
    api.request('POST', '/credits/grants', { token: admin, body: { ...body, ...more } })
  expect((await grant()).body).toMatchObject({ monthly: 5 })
  expect((await grant()).body).toMatchObject({ monthly: 5 })
  for (const other of [{ amount: 500 }, { pool: 'purchased' }]) {
    const refused = await grant(other)
    expect([refused.status, refused.body.code]).toEqual([409, 'CONFLICT'])
    expect(refused.body.detail).toContain(
      'was made before, of 5 monthly credits: repeat it as it was, or use a new grantId',
    )
  }
})

test('C1, C16: a run with a wrong number of retries, without files or with damaged ones is refused with 400', async () => {
  const api = await createTestApi({}, quick)
  const { call, templateId } = await customer(api, 10)
  const file = { fileName: 'a.pdf', input: {} }
  for (const wrong of [
    { files: [file], maxRetryCount: 0 },
    { files: [file], maxRetryCount: 11 },
    { files: [file], maxRetryCount: 2.5 },
    { files: [] },
    { files: [{ input: {} }] },
    { files: 'all' },
    { files: [file], testRun: true },
  ]) {
    const answer = await call('POST', '/workflow-runs', { templateId, ...wrong })
    expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_REQUEST'])
  }
})

test('templates are listed without archived ones, with them, or only archived ones', async () => {
  const api = await createTestApi()
  const token = await api.token(['CUSTOMER_ADMIN'], { tenant: 't1' })
  const make = async (name: string) =>
    (await api.request('POST', '/workflow-templates', { token, body: { name, creditsPerRun: 2 } })).body.id
  const [old, current] = [await make('Old'), await make('Current')]
  expect((await api.request('DELETE', `/workflow-templates/${old}`, { token })).body.archivedAt).not.toBeNull()
  const listed = async (query: string) =>
    (await api.request('GET', `/workflow-templates${query}`, { token })).body.items.map((one: { id: string }) => one.id)
  expect(await listed('')).toEqual([current])
  expect(await listed('?archived=false')).toEqual([current])
  expect(await listed('?archived=true')).toEqual([old])
  expect(await listed('?archived=any')).toEqual([current, old])
  expectFaults(await api.request('GET', '/workflow-templates?archived=yes', { token }), 'archived')
})
