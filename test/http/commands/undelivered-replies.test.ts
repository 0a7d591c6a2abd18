import { expect, test } from 'vitest'
import { createTestApi, type TestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

/** Completes a command of a tenant (null: of none) whose reply queue cannot be made. */
const keep = async (api: TestApi, tenantId: string | null, queue: string): Promise<string> => {
  const { commandId } = await api.bus.send(
    'payments',
    'Charge',
    {},
    { replyTo: queue, ...(tenantId === null ? {} : { tenantId }) },
  )
  await api.pool.query('select pgmq.drop_queue($1)', [queue])
  await api.pool.query(`create view pgmq.q_${queue} as select 1 as nothing`)
  const worker = await api.work({ domain: 'payments', handlers: { Charge: () => {} } })
  await api.until(
    () => api.bus.getCommand('payments', commandId),
    command => command?.status === 'COMPLETED',
  )
  await worker.stop()
  return commandId
}

test('G1: kept replies are listed, counted and delivered again within the scope of the token', async () => {
  const api = await createTestApi()
  const ofOne = await keep(api, 't1', 't_t1__replies')
  const ofTwo = await keep(api, 't2', 't_t2__replies')
  const ofNone = await keep(api, null, 'shop__replies')
  const asOperator = async (tenant?: string) => ({
    token: await api.token(['OPERATOR'], { sub: `${tenant}@example.com`, ...(tenant === undefined ? {} : { tenant }) }),
  })
  const list = async (tenant?: string, query = '') =>
    (await api.request('GET', `/replies/undelivered${query}`, await asOperator(tenant))).body.items
  expect(await list('t1')).toMatchObject([{ commandId: ofOne, queue: 't_t1__replies', tries: 1, deliveredAt: null }])
  expect(await list('t2')).toMatchObject([{ commandId: ofTwo }])
  expect(await list()).toMatchObject([{ commandId: ofNone }])
  const admin = { token: await api.token(['ADMIN']) }
  const all = (await api.request('GET', '/replies/undelivered?limit=2', admin)).body
  expect(all.items.map((item: { commandId: string }) => item.commandId)).toEqual([ofNone, ofTwo])
  const rest = await api.request('GET', `/replies/undelivered?limit=2&cursor=${all.nextCursor}`, admin)
  expect(rest.body).toMatchObject({ items: [{ commandId: ofOne }], nextCursor: null })
  for (const [given, count] of [
    [await asOperator('t1'), 1],
    [admin, 3],
  ] as const) {
    expect((await api.request('GET', '/stats', given)).body.undeliveredReplies).toBe(count)
  }

  const deliver = async (tenant: string | undefined, body: object) =>
    api.request('POST', '/replies/undelivered/deliver', { ...(await asOperator(tenant)), body })
  await api.pool.query('drop view pgmq.q_t_t1__replies')
  // a reply of another tenant counts as unknown
  const [{ replyId }] = await list('t1')
  expect((await deliver('t2', { replyIds: [replyId] })).body).toEqual({ delivered: 0, failed: [] })
  expectProblem(await deliver('t2', { to: 't_t1__replies' }), 400, 'REPLY_QUEUE_REFUSED')
  expectProblem(await deliver('t1', { to: 'payments__commands' }), 400, 'REPLY_QUEUE_REFUSED')
  expectProblem(await deliver('t1', { replyIds: ['x'] }), 400, 'INVALID_REQUEST', /replyIds/)
  expect((await deliver('t1', {})).body).toEqual({ delivered: 1, failed: [] })
  expect((await deliver('t2', {})).body).toMatchObject({
    delivered: 0,
    failed: [{ commandId: ofTwo, queue: 't_t2__replies' }],
  })
  expect(await api.messages('t_t1__replies')).toMatchObject([{ message: { command_id: ofOne } }])
  expect(await list('t1')).toEqual([])
  expect(await list('t1', '?delivered=true')).toMatchObject([
    { commandId: ofOne, deliveredBy: 't1@example.com', deliveredTo: 't_t1__replies', tries: 2 },
  ])
  for (const roles of [['SENDER'], ['AUDITOR'], ['USER']] as const) {
    const token = await api.token(roles)
    expectProblem(await api.request('GET', '/replies/undelivered', { token }), 403, 'FORBIDDEN')
    expectProblem(await api.request('POST', '/replies/undelivered/deliver', { token, body: {} }), 403, 'FORBIDDEN')
  }
})

test('G1: delivering to other queues has the same limit of new queues as sending', async () => {
  const api = await createTestApi({}, { newQueuesPerHour: 1 })
  await keep(api, 't1', 't_t1__replies')
  await keep(api, 't1', 't_t1__others')
  const token = await api.token(['OPERATOR'], { tenant: 't1' })
  const deliver = (to: string) => api.request('POST', '/replies/undelivered/deliver', { token, body: { to, limit: 1 } })
  expect((await deliver('t_t1__one')).body).toEqual({ delivered: 1, failed: [] })
  expectProblem(await deliver('t_t1__two'), 429, 'TOO_MANY_QUEUES')
  expect((await deliver('t_t1__one')).body).toEqual({ delivered: 1, failed: [] })
})
