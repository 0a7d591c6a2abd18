import { expect, test } from 'vitest'
import { createTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

test('F13: strangers are listed, adopted and dropped over HTTP, by callers without a tenant, as their subject', async () => {
  const api = await createTestApi()
  await api.bus.send('payments', 'Charge', {})
  await api.bus.sendBatch('operations', [{ commandType: 'Ask', data: {} }])
  const put = (queue: string, message: unknown) =>
    api.pool.query('select pgmq.send($1::text, $2::jsonb)', [queue, JSON.stringify(message)])
  await put('payments__commands', { command_id: 'order-1', command_type: 'Charge', data: {} })
  await put('payments__commands', { command_id: 'order-2', command_type: 'Charge it!', data: {} })
  await put('payments__commands', { command_id: 'order-3', command_type: 'Charge', data: 'x'.repeat(10_000) })
  await put('operations__commands', { command_type: 'Ask', data: {} })
  // one domain after the other, because the newest stranger is listed first
  for (const [domain, found] of [
    ['payments', 3],
    ['operations', 4],
  ] as const) {
    await api.work({ domain, handlers: { '*': () => null } })
    await api.until(
      () => api.bus.strangers.list(),
      ({ items }) => items.length === found,
    )
  }

  const operator = { token: await api.token(['OPERATOR'], { sub: 'jane@example.com' }) }
  const tenants = { token: await api.token(['OPERATOR'], { tenant: 't1' }) }
  const list = async (query: string, as = operator) => (await api.request('GET', `/strangers${query}`, as)).body.items
  expect(await list('', tenants)).toEqual([])
  expect((await api.request('POST', '/strangers/drop', { ...tenants, body: { reason: 'x' } })).body).toEqual({
    dropped: 0,
    nextCursor: null,
  })
  const items = await list('?domain=payments')
  expect(items.toReversed()).toMatchObject([
    { domain: 'payments', reads: 0, message: { command_id: 'order-1' }, outcome: null },
    { message: { command_id: 'order-2' }, why: expect.any(String) },
    { message: null, messageBytes: expect.any(Number), messagePreview: expect.stringContaining('xxx') },
  ])
  const act = (action: string, body: object, as = operator) =>
    api.request('POST', `/strangers/${action}`, { ...as, body })
  expectProblem(await act('adopt', { strangerIds: ['x'] }), 400, 'INVALID_REQUEST', /strangerIds/)
  expectProblem(await act('adopt', { commandType: 'a b' }), 400, 'INVALID_REQUEST', /commandType/)
  expectProblem(await act('adopt', { replyTo: 't_t1__replies' }), 400, 'REPLY_QUEUE_REFUSED')
  expectProblem(await act('drop', {}), 400, 'INVALID_REQUEST', /reason/)
  expectProblem(await act('drop', { reason: ' ' }), 400, 'INVALID_REQUEST', /reason/)

  // only the bus itself sends operations
  const adopted = await act('adopt', {})
  expect(adopted.body).toMatchObject({
    adopted: [{ domain: 'payments' }, { domain: 'payments' }],
    failed: [
      { domain: 'operations', reason: expect.stringContaining('start operations') },
      { domain: 'payments', reason: expect.stringContaining('Charge it!') },
    ],
    nextCursor: null,
  })
  const { body } = await act('adopt', { domain: 'payments', commandType: 'Charge', replyTo: null })
  expect(body).toMatchObject({ adopted: [{ strangerId: items[1].strangerId }], failed: [] })
  expect((await act('drop', { reason: 'not ours', queue: 'operations__commands' })).body).toEqual({
    dropped: 1,
    nextCursor: null,
  })
  expect(await list('')).toEqual([])
  expect(await list('?settled=true&limit=2')).toMatchObject([
    { domain: 'operations', outcome: 'dropped', settledBy: 'jane@example.com', reason: 'not ours' },
    { outcome: 'adopted', message: null, commandId: expect.any(String) },
  ])
  expect((await api.request('GET', '/stats', { token: await api.token(['ADMIN']) })).body.queues).toContainEqual(
    expect.objectContaining({ queue: 'payments__commands', strangers: 0 }),
  )
})
