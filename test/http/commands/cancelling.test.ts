import { expect, test } from 'vitest'
import { createTestApi } from '../../support/http.ts'
import { auditNames, parked } from '../../support/park.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'

test('a pending command is canceled by its sender: no message, one reply, the subject in the audit', async () => {
  const api = await createTestApi()
  const { commandId } = await api.bus.send('payments', 'Charge', {}, { replyTo: 'shop_replies' })
  const token = await api.token(['SENDER'], { sub: 'shop@example.com' })
  const answer = await api.request('DELETE', `/domains/payments/commands/${commandId}?reason=changed%20my%20mind`, {
    token,
  })
  expect([answer.status, answer.body]).toEqual([200, { commandId, status: 'CANCELED' }])
  expect(await api.messages('payments__commands')).toEqual([])
  const replies = await api.messages('shop_replies')
  expect(replies.map(({ message }) => [message.outcome, message.reason])).toEqual([['CANCELED', 'changed my mind']])
  const [, last] = await api.bus.getAuditTrail('payments', commandId)
  expect(last).toMatchObject({ eventType: 'CANCELED', actor: 'shop@example.com' })
})

test('a command that is not pending is not canceled by its sender, and the answer says what it is', async () => {
  const api = await createTestApi()
  const commandId = await parked(api)
  const token = await api.token(['SENDER'])
  const cancel = () => api.request('DELETE', `/domains/payments/commands/${commandId}`, { token })
  const before = await auditNames(api.bus, 'payments', commandId)
  expectProblem(await cancel(), 409, 'INVALID_OPERATION', /IN_TROUBLESHOOTING_QUEUE.*only while it is PENDING/)
  expect(await auditNames(api.bus, 'payments', commandId)).toEqual(before)
  await api.bus.troubleshooting.complete('payments', commandId, { operator: 'joe' })
  expectProblem(await cancel(), 409, 'INVALID_OPERATION', 'COMPLETED')
})

test('canceled twice, it is canceled once', async () => {
  const api = await createTestApi()
  const { commandId } = await api.bus.send('payments', 'Charge', {}, { replyTo: 'shop_replies' })
  const token = await api.token(['SENDER'])
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => api.request('DELETE', `/domains/payments/commands/${commandId}`, { token })),
  )
  for (const { status } of answers) expect([200, 409]).toContain(status)
  expect(await auditNames(api.bus, 'payments', commandId)).toEqual(['SENT', 'CANCELED'])
  expect(await api.messages('shop_replies')).toHaveLength(1)
})

test('a reason must be a non-blank text', async () => {
  const api = await createTestApi()
  const { commandId } = await api.bus.send('payments', 'Charge', {})
  const token = await api.token(['SENDER'])
  for (const reason of ['%20', '%00', 'x'.repeat(1001), 'a&reason=b']) {
    const path = `/domains/payments/commands/${commandId}?reason=${reason}`
    expectFaults(await api.request('DELETE', path, { token }), 'reason')
  }
  expect(await api.bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING' })
})
