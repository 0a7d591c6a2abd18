import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PermanentCommandError, type Role } from '../../../src/index.ts'
import { createTestApi, type TestApi } from '../../support/http.ts'

const question = {
  operation_type: 'question_generation',
  session_id: 's-1',
  message_id: 'm-1',
  parameters: { topic: 'x' },
}

const start = async (api: TestApi, token: string, body: unknown = question) =>
  api.request('POST', '/operations', { token, body })

/** An operation that has failed permanently. */
const failed = async (api: TestApi, token: string): Promise<string> => {
  const { body } = await start(api, token)
  const worker = api.bus.worker({
    domain: 'operations',
    pollMs: 20,
    handlers: {
      '*': () => {
        throw new PermanentCommandError('UNAUTHORIZED', 'the model answered 401')
      },
    },
  })
  await worker.start()
  await api.until(
    () => api.request('GET', `/operations/${body.id}`, { token }),
    answer => answer.body.status === 'failed',
  )
  await worker.stop()
  return body.id
}

describe('operations over HTTP', () => {
  test('an operation is started, found and listed by its owner', async () => {
    const api = await createTestApi()
    const token = await api.token(['USER'], { sub: 'ada' })
    const { status, headers, body } = await start(api, token)
    expect(status).toBe(202)
    expect(headers.get('location')).toBe(`/api/v1/operations/${body.id}`)
    expect(body).toEqual({
      id: expect.any(String),
      operation_type: 'question_generation',
      status: 'pending',
      result: null,
      error_message: null,
      parent_operation_id: null,
      retry_count: 0,
      session_id: 's-1',
      message_id: 'm-1',
      created_at: expect.any(String),
      updated_at: expect.any(String),
      retriable: false,
    })
    expect((await api.request('GET', `/operations/${body.id}`, { token })).body).toEqual(body)
    const listed = await api.request('GET', '/operations?status=pending&limit=10', { token })
    expect(listed.body).toEqual({ items: [body], nextCursor: null })
  })

  test('B3: a failed operation is retried over HTTP: a new one, with its parent and where it is', async () => {
    const api = await createTestApi()
    const token = await api.token(['USER'], { sub: 'ada' })
    const id = await failed(api, token)
    const parent = (await api.request('GET', `/operations/${id}`, { token })).body
    expect(parent).toMatchObject({ status: 'failed', retriable: true })
    expect(parent.error_message).toContain('What to do:')
    const { status, headers, body } = await api.request('POST', `/operations/${id}/retry`, { token })
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'pending', parent_operation_id: id, retry_count: 1, session_id: 's-1' })
    expect(headers.get('location')).toBe(`/api/v1/operations/${body.id}`)
  })

  test('B5: two clicks over HTTP give the same child', async () => {
    const api = await createTestApi()
    const token = await api.token(['USER'], { sub: 'ada' })
    const id = await failed(api, token)
    const clicks = await Promise.all(
      Array.from({ length: 20 }, () => api.request('POST', `/operations/${id}/retry`, { token })),
    )
    expect(new Set(clicks.map(click => click.status))).toEqual(new Set([200]))
    expect(new Set(clicks.map(click => click.body.id)).size).toBe(1)
    expect(await api.messages('operations__commands')).toHaveLength(1)
  })

  test('B4: unknown, not failed and not the owner are refused as the contract says', async () => {
    const api = await createTestApi()
    const ada = await api.token(['USER'], { sub: 'ada' })
    const bob = await api.token(['USER'], { sub: 'bob' })
    const id = await failed(api, ada)
    const running = (await start(api, ada)).body.id
    const retry = (token: string, which: string) => api.request('POST', `/operations/${which}/retry`, { token })
    expect(await retry(ada, randomUUID())).toMatchObject({
      status: 404,
      body: { code: 'OPERATION_NOT_FOUND', detail: 'Operation not found' },
    })
    expect(await retry(ada, running)).toMatchObject({
      status: 400,
      body: { detail: 'Can only retry failed operations' },
    })
    expect(await retry(bob, id)).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', detail: 'Unauthorized to retry this operation' },
    })
    expect(await retry(ada, 'no-uuid')).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } })
    expect((await api.request('GET', `/operations/${id}`, { token: bob })).status).toBe(403)
    expect((await api.request('GET', '/operations', { token: bob })).body.items).toEqual([])
    expect(await api.messages('operations__commands')).toHaveLength(1)
  })

  test('B4: another tenant finds nothing, whatever the role', async () => {
    const api = await createTestApi()
    const id = await failed(api, await api.token(['USER'], { sub: 'ada', tenant: 't1' }))
    const token = await api.token(['USER', 'ADMIN'], { sub: 'ada', tenant: 't2' })
    expect((await api.request('GET', `/operations/${id}`, { token })).status).toBe(404)
    expect((await api.request('POST', `/operations/${id}/retry`, { token })).status).toBe(404)
    expect((await api.request('GET', '/operations', { token })).body.items).toEqual([])
  })

  test.each<[Role, number]>([
    ['USER', 202],
    ['ADMIN', 202],
    ['SENDER', 403],
    ['OPERATOR', 403],
    ['AUDITOR', 403],
    ['CUSTOMER_ADMIN', 403],
    ['BUBBLE_ADMIN', 403],
  ])('%s may start operations: %i', async (role, status) => {
    const api = await createTestApi()
    const token = await api.token([role])
    expect((await start(api, token)).status).toBe(status)
    expect((await api.request('GET', '/operations', { token })).status).toBe(status === 202 ? 200 : 403)
  })

  test('bad input is refused, and nothing is started', async () => {
    const api = await createTestApi()
    const token = await api.token(['USER'])
    for (const body of [
      {},
      { operation_type: 'question_generation' },
      { ...question, operation_type: 'no good' },
      { ...question, session_id: ' ' },
      { ...question, owner_id: 'somebody else' },
      { ...question, parameters: 'x\u0000' },
    ]) {
      expect(await start(api, token, body)).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } })
    }
    expect((await api.request('GET', '/operations?status=done', { token })).status).toBe(400)
    expect((await api.request('GET', '/operations?limit=501', { token })).status).toBe(400)
    expect((await api.request('GET', '/operations?cursor=x', { token })).status).toBe(400)
    expect((await api.pool.query('select 1 from command_bus_event')).rowCount).toBe(0)
  })
})
