import { describe, expect, test } from 'vitest'
import { createTestApi, type TestApi } from '../../support/http.ts'
import { auditNames, parked } from '../../support/park.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'

const asOperator = async (api: TestApi, sub = 'jane@example.com') => api.token(['OPERATOR'], { sub })

const act = async (api: TestApi, commandId: string, action: string, body: unknown = {}, sub?: string) =>
  api.request('POST', `/domains/payments/commands/${commandId}/${action}`, { token: await asOperator(api, sub), body })

const lastAudit = async (api: TestApi, commandId: string) => {
  const items = await api.bus.getAuditTrail('payments', commandId)
  return items.at(-1)
}

describe('a retry', () => {
  test("sends the original payload again, and the token's subject is the operator", async () => {
    const api = await createTestApi()
    const commandId = await parked(api, 'payments', { amount: 5 })
    const answer = await act(api, commandId, 'retry', {}, 'joe@example.com')
    expect([answer.status, answer.body]).toEqual([200, { commandId, status: 'PENDING', msgId: '2' }])
    expect((await api.messages('payments__commands')).map(({ message }) => message.data)).toEqual([{ amount: 5 }])
    expect(await lastAudit(api, commandId)).toMatchObject({ eventType: 'OPERATOR_RETRY', actor: 'joe@example.com' })
    expect(await api.bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING', attempts: 0 })
  })

  test('sends an edited payload, which may be any JSON, also null', async () => {
    for (const data of [{ amount: 4 }, null, false, 0, '', []]) {
      const api = await createTestApi()
      const commandId = await parked(api, 'payments', { amount: 5 })
      expect((await act(api, commandId, 'retry', { data })).status).toBe(200)
      expect((await api.messages('payments__commands')).map(({ message }) => message.data)).toEqual([data])
      expect((await api.bus.getCommand('payments', commandId))?.data).toEqual(data)
    }
  })

  test('that keeps the attempts goes on counting', async () => {
    const api = await createTestApi()
    const commandId = await parked(api)
    expect((await act(api, commandId, 'retry', { resetAttempts: false })).status).toBe(200)
    expect(await api.bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING', attempts: 1 })
    expectFaults(await act(api, commandId, 'retry', { resetAttempts: 'no' }), 'resetAttempts')
  })

  test('by ten operators at once sends one message', async () => {
    const api = await createTestApi()
    const commandId = await parked(api)
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => act(api, commandId, 'retry', {}, `op${i}`)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)])
    expect(await api.messages('payments__commands')).toHaveLength(1)
  })

  test('with data that no database can hold is refused', async () => {
    const api = await createTestApi()
    const commandId = await parked(api)
    expectFaults(await act(api, commandId, 'retry', { data: 'a\u0000' }), 'data')
    expect(await api.bus.getCommand('payments', commandId)).toMatchObject({ status: 'IN_TROUBLESHOOTING_QUEUE' })
  })
})

describe('an operator’s cancel', () => {
  test('tells the sender why', async () => {
    const api = await createTestApi()
    const commandId = await parked(api, 'payments', {}, { replyTo: 'shop_replies' })
    const answer = await act(api, commandId, 'cancel', { reason: 'card is stolen' })
    expect([answer.status, answer.body]).toEqual([200, { commandId, status: 'CANCELED' }])
    const replies = await api.messages('shop_replies')
    expect(replies.map(({ message }) => [message.outcome, message.reason])).toEqual([['CANCELED', 'card is stolen']])
    expect(await lastAudit(api, commandId)).toMatchObject({ eventType: 'OPERATOR_CANCEL', actor: 'jane@example.com' })
  })

  test.each([{}, { reason: '' }, { reason: ' \n' }, { reason: null }, { reason: 5 }, { reason: 'x'.repeat(1001) }])(
    'needs a reason, not %j',
    async body => {
      const api = await createTestApi()
      const commandId = await parked(api)
      expectFaults(await act(api, commandId, 'cancel', body), 'reason')
      expect(await auditNames(api.bus, 'payments', commandId)).toHaveLength(3)
    },
  )
})

test('an operator’s completion gives the sender its result', async () => {
  const api = await createTestApi()
  const commandId = await parked(api, 'payments', {}, { replyTo: 'shop_replies' })
  const answer = await act(api, commandId, 'complete', { resultData: { paid: 5 } })
  expect([answer.status, answer.body]).toEqual([200, { commandId, status: 'COMPLETED' }])
  const replies = await api.messages('shop_replies')
  expect(replies.map(({ message }) => [message.outcome, message.data])).toEqual([['SUCCESS', { paid: 5 }]])
  expect(await lastAudit(api, commandId)).toMatchObject({ eventType: 'OPERATOR_COMPLETE', actor: 'jane@example.com' })
})

test.each([
  ['retry', {}],
  ['cancel', { reason: 'x' }],
  ['complete', {}],
])('%s of a command that is not parked says what it is', async (action, body) => {
  const api = await createTestApi()
  const { commandId } = await api.bus.send('payments', 'Charge', {})
  expectProblem(await act(api, commandId, action, body), 409, 'INVALID_OPERATION', 'PENDING')
  await api.bus.cancel('payments', commandId)
  expectProblem(await act(api, commandId, action, body), 409, 'INVALID_OPERATION', 'CANCELED')
})

test.each(['operator', 'actor', 'sub'])('a body cannot name another %s', async name => {
  const api = await createTestApi()
  const commandId = await parked(api)
  for (const [action, body] of [
    ['retry', {}],
    ['cancel', { reason: 'x' }],
    ['complete', {}],
  ] as const) {
    expectFaults(await act(api, commandId, action, { ...body, [name]: 'eve' }), name)
  }
  expect(await auditNames(api.bus, 'payments', commandId)).toHaveLength(3)
})

describe('the list of parked commands', () => {
  const setUp = async () => {
    const api = await createTestApi()
    const declined = await parked(api, 'payments', { amount: 1 }, { replyTo: 'shop_replies', correlationId: 'c1' })
    const expired = await parked(api, 'payments', { amount: 2 }, { errorCode: 'CARD_100%_GONE' })
    const lost = await parked(api, 'shipping', { box: 1 }, { errorCode: 'NO_ROUTE', commandType: 'Ship' })
    await api.bus.send('payments', 'Charge', {})
    const token = await api.token(['AUDITOR'])
    const list = async (query = '', at = '') => api.request('GET', `/troubleshooting${at}${query}`, { token })
    const found = async (query: string) =>
      (await list(query)).body.items.map((item: { commandId: string }) => item.commandId)
    return { declined, expired, lost, list, found }
  }

  test('has all that an operator needs, newest first, with the total', async () => {
    const { declined, expired, lost, list, found } = await setUp()
    const { body } = await list('?limit=2')
    expect(body).toEqual({ items: expect.any(Array), nextCursor: expect.any(String), total: 3 })
    expect(await found('')).toEqual([lost, expired, declined])
    expect(await found(`?limit=2&cursor=${body.nextCursor}`)).toEqual([declined])
    expect((await list('?domain=payments&commandType=Charge&errorCode=CARD_DECLINED')).body).toEqual({
      items: [
        {
          domain: 'payments',
          commandId: declined,
          commandType: 'Charge',
          attempts: 1,
          maxAttempts: 3,
          parkedAt: expect.any(String),
          parkedReason: 'PERMANENT',
          snoozedUntil: null,
          assignee: null,
          tags: [],
          notes: 0,
          lastErrorType: expect.any(String),
          lastErrorCode: 'CARD_DECLINED',
          lastErrorMsg: 'the card was declined',
          correlationId: 'c1',
          replyTo: 'shop_replies',
          createdAt: expect.any(String),
          updatedAt: expect.any(String),
          payload: { amount: 1 },
        },
      ],
      nextCursor: null,
      total: 1,
    })
  })

  test('can be searched by parts of ids, error codes and messages, in any case, and `q` is never a pattern', async () => {
    const { declined, expired, lost, found } = await setUp()
    expect(await found('?q=declined')).toEqual([lost, expired, declined])
    expect(await found('?q=no_route')).toEqual([lost])
    expect(await found(`?q=${expired.slice(-12).toUpperCase()}`)).toEqual([expired])
    expect(await found('?q=100%25_')).toEqual([expired])
    expect(await found('?q=%25')).toEqual([expired])
    for (const q of ['%5C', "'", 'NO.ROUTE', 'NO%25', 'NO__', ';']) expect(await found(`?q=${q}`), q).toEqual([])
    expect(await found('?q=nothing&domain=payments')).toEqual([])
  })

  test('and its groups can be filtered by the time of parking', async () => {
    const { list, found } = await setUp()
    expect(await found('?from=2100-01-01')).toEqual([])
    expect(await found('?to=2020-01-01')).toEqual([])
    expect(await found('?from=2020-01-01&to=2100-01-01')).toHaveLength(3)
    expect((await list('?to=2020-01-01', '/groups')).body).toEqual({ items: [] })
    for (const at of ['', '/groups']) {
      expectFaults(await list('?from=2024-02-01&to=2024-01-01', at), 'from, to')
      expectFaults(await list('?from=0000-01-01', at), 'from')
      expectFaults(await list('?q=%00', at), 'q')
      expectFaults(await list(`?q=${'x'.repeat(201)}`, at), 'q')
    }
  })

  test('is grouped by domain, type, error code and place', async () => {
    const { list } = await setUp()
    const { body } = await list('', '/groups')
    expect(body.items).toHaveLength(3)
    expect(body.items).toContainEqual({
      key: expect.stringMatching(/^shipping\/Ship\/NO_ROUTE/),
      domain: 'shipping',
      commandType: 'Ship',
      errorCode: 'NO_ROUTE',
      frame: expect.stringContaining('park.ts:'),
      count: 1,
      first: expect.any(String),
      last: expect.any(String),
      sample: 'the card was declined',
      care: null,
    })
    expectFaults(await list('?limit=5', '/groups'), 'limit')
  })
})

describe('actions on many', () => {
  const setUp = async () => {
    const api = await createTestApi()
    for (let i = 0; i < 3; i++) await parked(api)
    const start = { action: 'retry', filter: { errorCode: 'CARD_DECLINED' }, canary: 1, operator: 'jane@example.com' }
    const { actionId } = await api.bus.actions.start(start as Parameters<typeof api.bus.actions.start>[0])
    const named = { action: 'retry', ids: [{ domain: 'payments', commandId: actionId }] } as const
    const lost = await api.bus.actions.start({ ...named, operator: 'joe', tenantId: 't1' })
    const token = await api.token(['ADMIN'])
    return { api, actionId, lost: lost.actionId, token }
  }

  test('are listed, newest first, with the criteria of each', async () => {
    const { api, actionId, lost, token } = await setUp()
    const list = async (query = '') => (await api.request('GET', `/troubleshooting/actions${query}`, { token })).body
    const first = await list('?limit=1')
    expect(first).toEqual({
      items: [expect.objectContaining({ actionId: lost, status: 'COMPLETED', failed: 1, filter: null })],
      nextCursor: expect.any(String),
    })
    expect(await list(`?limit=1&cursor=${first.nextCursor}`)).toEqual({
      items: [
        expect.objectContaining({
          actionId,
          action: 'retry',
          status: 'WAITING_FOR_CANARY',
          filter: { errorCode: 'CARD_DECLINED' },
          operator: 'jane@example.com',
        }),
      ],
      nextCursor: null,
    })
    expect((await list('?status=COMPLETED')).items.map((one: { actionId: string }) => one.actionId)).toEqual([lost])
    const wrong = await api.request('GET', '/troubleshooting/actions?status=DONE', { token })
    expectFaults(wrong, 'status')
    expect(JSON.stringify(wrong.body)).toContain('WAITING_FOR_CANARY')
  })

  test('can be stopped, also while the canary waits; a second stop changes nothing', async () => {
    const { api, actionId, lost, token } = await setUp()
    const stop = (id: string, by = token) =>
      api.request('POST', `/troubleshooting/actions/${id}/stop`, { token: by, body: {} })
    const stopped = await stop(actionId)
    expect([stopped.status, stopped.body]).toEqual([
      200,
      expect.objectContaining({
        actionId,
        status: 'STOPPED',
        succeeded: 0,
        skipped: 3,
        note: 'stopped by jane@example.com',
      }),
    ])
    const again = await stop(actionId, await api.token(['ADMIN'], { sub: 'joe@example.com' }))
    expect([again.status, again.body]).toEqual([200, stopped.body])
    expect((await stop(lost)).body).toMatchObject({ status: 'COMPLETED' })
    expect((await api.bus.troubleshooting.list({})).total).toBe(3)
  })

  test('of another tenant are neither listed nor stopped', async () => {
    const { api, actionId, lost } = await setUp()
    const token = await api.token(['OPERATOR'], { tenant: 't1' })
    const { body } = await api.request('GET', '/troubleshooting/actions', { token })
    expect(body.items.map((one: { actionId: string }) => one.actionId)).toEqual([lost])
    const answer = await api.request('POST', `/troubleshooting/actions/${actionId}/stop`, { token, body: {} })
    expectProblem(answer, 404, 'ACTION_NOT_FOUND', actionId)
    expect(await api.bus.actions.get(actionId)).toMatchObject({ status: 'WAITING_FOR_CANARY' })
  })
})

describe('a snooze', () => {
  test('leaves the command parked, and the list says until when', async () => {
    const api = await createTestApi()
    const commandId = await parked(api)
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const answer = await act(api, commandId, 'snooze', { until, reason: 'the bank is closed' })
    expect([answer.status, answer.body]).toEqual([200, { commandId, status: 'IN_TROUBLESHOOTING_QUEUE' }])
    expect(await lastAudit(api, commandId)).toMatchObject({
      eventType: 'OPERATOR_SNOOZE',
      details: { until, reason: 'the bank is closed' },
    })
    const list = async (query: string) =>
      (await api.request('GET', `/troubleshooting${query}`, { token: await asOperator(api) })).body
    expect(await list('')).toMatchObject({ total: 1, items: [{ commandId, snoozedUntil: until }] })
    expect(await list('?snoozed=true')).toMatchObject({ total: 1 })
    expect(await list('?snoozed=false')).toMatchObject({ total: 0, items: [] })
    expect(await list('/groups?snoozed=false')).toEqual({ items: [] })
    expectFaults(
      await api.request('GET', '/troubleshooting?snoozed=maybe', { token: await asOperator(api) }),
      'snoozed',
    )
  })

  test('needs an instant in the future', async () => {
    const api = await createTestApi()
    const commandId = await parked(api)
    for (const until of [undefined, 'tomorrow', '2020-01-01', '9999-01-01', 5]) {
      expectFaults(await act(api, commandId, 'snooze', { until }), 'until')
    }
    expect(await auditNames(api.bus, 'payments', commandId)).not.toContain('OPERATOR_SNOOZE')
  })
})
