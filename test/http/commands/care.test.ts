import { expect, test } from 'vitest'
import { createReceiver, SECRET } from '../../alerts/receiver.ts'
import { createTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'

test('O3: notes, an assignee and tags over HTTP: the list is filtered by them, a dry run changes nothing, causes are on their group', async () => {
  const api = await createTestApi()
  const [commandId, other] = [await parked(api), await parked(api)]
  const token = await api.token(['OPERATOR'])
  const path = `/domains/payments/commands/${commandId}`
  const done = { commandId, status: 'IN_TROUBLESHOOTING_QUEUE' }
  const ask = async (method: string, to: string, body: unknown) => {
    const answer = await api.request(method, to, { token, body })
    return [answer.status, answer.body]
  }
  expect(await ask('POST', `${path}/notes`, { text: 'waits' })).toEqual([200, done])
  expect(await ask('PUT', `${path}/assignee`, { assignee: 'joe' })).toEqual([200, done])
  expect(await ask('PUT', `${path}/tags`, { tags: ['bank'] })).toEqual([200, done])
  expect(await ask('PUT', `${path}/tags`, { tags: [], dryRun: true })).toMatchObject([
    200,
    { dryRun: { events: ['OPERATOR_TAG'], messages: [], replies: [] } },
  ])
  expect((await api.request('PUT', `${path}/assignee`, { token, body: {} })).body.errors).toEqual([
    { path: 'assignee', message: 'missing; expected string or null' },
  ])
  const list = async (query: string) => (await api.request('GET', `/troubleshooting${query}`, { token })).body
  expect(await list('?assignee=joe&tag=bank')).toMatchObject({
    total: 1,
    items: [{ commandId, assignee: 'joe', tags: ['bank'], notes: 1 }],
  })
  expect(await list('?tag=other')).toMatchObject({ total: 0 })
  const many = { action: 'assign', ids: [{ domain: 'payments', commandId: other }], assignee: null }
  expect((await ask('POST', '/troubleshooting/actions', many))[0]).toBe(202)

  const cause = { domain: 'payments', commandType: 'Charge', errorCode: 'CARD_DECLINED' }
  const until = new Date(Date.now() + 3_600_000).toISOString()
  await ask('POST', '/troubleshooting/causes/notes', { ...cause, text: 'the bank is down' })
  await ask('PUT', '/troubleshooting/causes/assignee', { ...cause, assignee: 'joe' })
  await ask('PUT', '/troubleshooting/causes/tags', { ...cause, tags: ['bank'] })
  expect(await ask('PUT', '/troubleshooting/causes/investigation', { ...cause, until })).toMatchObject([
    200,
    { ...cause, assignee: 'joe', tags: ['bank'], investigatedUntil: until, notes: [{ text: 'the bank is down' }] },
  ])
  expect(await list('/groups')).toMatchObject({ items: [{ count: 2, care: { assignee: 'joe', notes: 1 } }] })
  expect(await list('/causes?errorCode=CARD_DECLINED')).toMatchObject({ items: [cause] })
  const late = await api.request('PUT', '/troubleshooting/causes/investigation', {
    token,
    body: { ...cause, until: '2020-01-01T00:00:00Z' },
  })
  expectFaults(late, 'until')
  expect((await api.request('GET', '/stats', { token })).body.total.IN_TROUBLESHOOTING_QUEUE).toBe(0)
})

test('O5: an alert over HTTP: its secret is neither in an answer nor in the log, and only operators see alerts', async () => {
  const api = await createTestApi({}, { alerts: { allowLocal: true } })
  const receiver = await createReceiver()
  const token = await api.token(['ADMIN'])
  const body = { url: receiver.url, secret: SECRET, on: 'groups', quiet: null, digestMinutes: 5 }
  const set = await api.request('PUT', '/alerts/on-call', { token, body })
  expect(set.body).toMatchObject({ name: 'on-call', on: ['groups'], digestMinutes: 5, lastSentAt: null })
  const test = await api.request('POST', '/alerts/on-call/test', { token, body: {} })
  expect(test.body).toEqual({ id: receiver.ids()[0], sent: true, error: null })
  const sent = await api.request('GET', '/alerts/on-call/sent', { token })
  expect(sent.body).toMatchObject({ items: [{ id: receiver.ids()[0], test: true, status: 'SENT' }], nextCursor: null })
  const wrong = await api.request('PUT', '/alerts/second', { token, body: { ...body, secret: `bad ${SECRET}` } })
  expectFaults(wrong, 'secret')
  const listed = await api.request('GET', '/alerts', { token })
  expect(listed.body.items).toHaveLength(1)
  expect(JSON.stringify([set, test, sent, wrong, listed, api.logged])).not.toContain(SECRET)
  expectProblem(
    await api.request('GET', '/alerts', { token: await api.token(['SENDER', 'AUDITOR']) }),
    403,
    'FORBIDDEN',
  )
  expect((await api.request('DELETE', '/alerts/on-call', { token })).body).toEqual({ name: 'on-call' })
  expectProblem(await api.request('GET', '/alerts/on-call', { token }), 404, 'ALERT_NOT_FOUND')
})
