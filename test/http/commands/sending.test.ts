import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createTestApi, type SharedApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'
import { footprint } from '../server/footprint.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const send = async (api: SharedApi, body: unknown, domain = 'payments') =>
  api.request('POST', `/domains/${domain}/commands`, { token: await api.token(['SENDER']), body })

test('a sent command is PENDING, has an id and a message, and is found at its Location', async () => {
  const api = await createTestApi()
  const sent = await send(api, { commandType: 'Charge', data: { amount: 5, note: 'žluťoučký 👩‍👩‍👧' } })
  expect([sent.status, sent.body]).toEqual([
    202,
    {
      commandId: expect.stringMatching(UUID),
      domain: 'payments',
      commandType: 'Charge',
      status: 'PENDING',
      msgId: '1',
      correlationId: sent.body.commandId,
    },
  ])
  const location = sent.headers.get('location') ?? ''
  expect(location).toBe(`/api/v1/domains/payments/commands/${sent.body.commandId}`)
  const found = await api.request('GET', `/${location}`, { token: await api.token(['AUDITOR']) })
  expect(found.body).toMatchObject({ status: 'PENDING', data: { amount: 5, note: 'žluťoučký 👩‍👩‍👧' }, result: null })
  expect(await api.messages('payments__commands')).toHaveLength(1)
})

test('a command continues the trace of its request; an invalid header is ignored', async () => {
  const api = await createTestApi()
  const token = await api.token(['SENDER'])
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const body = { commandType: 'Charge', data: 1 }
  const inTrace = { token, headers: { traceparent } }
  await api.request('POST', '/domains/payments/commands', { ...inTrace, body })
  await api.request('POST', '/domains/payments/commands/batch', { ...inTrace, body: { commands: [body] } })
  await api.request('POST', '/domains/payments/commands', { token, headers: { traceparent: 'nonsense' }, body })
  const carried = (await api.messages('payments__commands')).map(({ message }) => message.traceparent)
  expect(carried).toEqual([traceparent, traceparent, undefined])
})

test("the sender's options are kept, and the actor is the subject of the token", async () => {
  const api = await createTestApi()
  const commandId = randomUUID()
  const given = { commandId, correlationId: 'order-17', causationId: 'click-3', replyTo: 'shop_replies' }
  const token = await api.token(['SENDER'], { sub: 'shop@example.com' })
  const body = { commandType: 'Charge', data: null, ...given, maxAttempts: 7, backoffSeconds: [0, 1.5] }
  const sent = await api.request('POST', '/domains/payments/commands', { token, body })
  expect(sent.body).toMatchObject({ commandId, correlationId: 'order-17' })
  const view = await api.bus.getCommand('payments', commandId)
  expect(view).toMatchObject({ ...given, maxAttempts: 7, tenantId: null, ownerId: null, data: null })
  expect((await api.bus.getAuditTrail('payments', commandId)).map(entry => entry.actor)).toEqual(['shop@example.com'])
  const [message] = await api.messages('payments__commands')
  expect(message?.message).toMatchObject({
    command_id: commandId,
    correlation_id: 'order-17',
    reply_to: 'shop_replies',
  })
})

test('a command sent twice is a conflict, and nothing is sent the second time', async () => {
  const api = await createTestApi()
  const commandId = randomUUID()
  expect((await send(api, { commandId, commandType: 'Charge', data: 1 })).status).toBe(202)
  const before = await footprint(api)
  for (const id of [commandId, commandId.toUpperCase()]) {
    const again = await send(api, { commandId: id, commandType: 'Refund', data: 2 })
    expectProblem(again, 409, 'DUPLICATE_COMMAND', 'nothing was sent')
    expect(again.headers.get('location')).toBeNull()
  }
  expect(await footprint(api)).toEqual(before)
  expect((await send(api, { commandId, commandType: 'Charge', data: 1 }, 'shipping')).status).toBe(202)
})

test('of fifty sends of one id at once, one succeeds', async () => {
  const api = await createTestApi()
  const commandId = randomUUID()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => send(api, { commandId, commandType: 'Charge', data: i })),
  )
  expect(answers.map(answer => answer.status).sort()).toEqual([202, ...Array.from({ length: 49 }, () => 409)])
  expect(await footprint(api)).toEqual({ events: 1, rows: 1, messages: 1 })
})
