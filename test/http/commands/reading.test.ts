import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { createTestApi, sharedTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectFaults } from '../../support/problem.ts'
import { addressOf, allRoutes } from '../contract/table.ts'

const shared = sharedTestApi()
const get = async (path: string) =>
  shared().request('GET', path, { token: await shared().token(['ADMIN', 'BUBBLE_ADMIN']) })

interface Item {
  readonly commandId: string
  readonly domain: string
}
const idsOf = (items: readonly Item[]) => items.map(({ commandId }) => commandId)

beforeAll(async () => {
  const { bus } = shared()
  for (let i = 0; i < 7; i++) await bus.send('payments', i < 3 ? 'Charge' : 'Refund', { i }, { correlationId: `c${i}` })
  for (let i = 0; i < 4; i++) await bus.send('shipping', 'Ship', { i })
  await parked(shared(), 'billing', { amount: 9 }, { errorCode: 'CARD_EXPIRED' })
})

describe('a list of commands', () => {
  test('has rows without their data, newest first', async () => {
    const { body } = await get('/domains/payments/commands')
    expect(body).toEqual({ items: expect.any(Array), nextCursor: null })
    expect(body.items).toHaveLength(7)
    const { items } = body
    expect(items[0]).toEqual({
      domain: 'payments',
      commandId: expect.any(String),
      commandType: 'Refund',
      status: 'PENDING',
      attempts: 0,
      maxAttempts: 3,
      totalAttempts: 0,
      msgId: '7',
      queueName: 'payments__commands',
      replyTo: null,
      correlationId: 'c6',
      causationId: null,
      tenantId: null,
      ownerId: null,
      parentCommandId: null,
      retryCount: 0,
      runAt: null,
      priority: 'normal',
      expiresAt: null,
      lane: null,
      leaseExpiresAt: null,
      nextAttemptAt: null,
      parkedAt: null,
      parkedReason: null,
      snoozedUntil: null,
      assignee: null,
      tags: [],
      notes: 0,
      lastErrorType: null,
      lastErrorCode: null,
      lastErrorMsg: null,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      updatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      revision: 0,
    })
  })

  test('continues at its cursor, and ends; no command is missing and none comes twice', async () => {
    for (const path of ['/commands?limit=5', '/domains/payments/commands?limit=2', '/commands?limit=12']) {
      const all: Item[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const { body } = await get(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`)
        all.push(...body.items)
        cursor = body.nextCursor
      }
      const whole: readonly Item[] = (await get(path.replace(/limit=\d+/, 'limit=500'))).body.items
      expect(idsOf(all)).toEqual(idsOf(whole))
    }
  })

  test.each([
    ['/commands?domain=shipping', 4],
    ['/commands?status=PENDING', 11],
    ['/commands?status=IN_TROUBLESHOOTING_QUEUE', 1],
    ['/commands?status=COMPLETED', 0],
    ['/commands?commandType=Charge', 4],
    ['/commands?errorCode=CARD_EXPIRED', 1],
    ['/commands?correlationId=c4', 1],
    ['/commands?createdAfter=2020-01-01', 12],
    ['/commands?createdAfter=2100-01-01T00:00:00Z', 0],
    ['/commands?createdBefore=2020-01-01T00:00:00%2B02:00', 0],
    ['/domains/payments/commands?commandType=Charge&status=PENDING', 3],
    ['/domains/nobody/commands', 0],
    ['/domains/payments/commands?commandType=Ship', 0],
  ])('%s has %i', async (path, count) => {
    const { status, body } = await get(path)
    expect([status, body.items.length]).toEqual([200, count])
  })

  test.each([
    ['status=pending', 'status'],
    ['status=', 'status'],
    ['status=PENDING&status=FAILED', 'status'],
    ['createdAfter=yesterday', 'createdAfter'],
    ['createdAfter=2024-13-01', 'createdAfter'],
    ['createdAfter=0000-01-01', 'createdAfter'],
    ['createdAfter=2024-01-01T00:00:00+02:00', 'createdAfter'],
    ['createdAfter=2025-01-01&createdBefore=2024-01-01', 'createdAfter, createdBefore'],
    ['commandType=%00', 'commandType'],
    ['errorCode=%20', 'errorCode'],
    ['errorCode=%00', 'errorCode'],
    ['correlationId=', 'correlationId'],
    ['tenantId=t1', 'tenantId'],
    ['Status=PENDING', 'Status'],
  ])('is refused for %s', async (query, path) => {
    expectFaults(await get(`/commands?${query}`), path)
  })
})

test('the default is 100 a page, the most 500', async () => {
  const api = await createTestApi()
  await api.bus.sendBatch(
    'payments',
    Array.from({ length: 510 }, () => ({ commandType: 'Charge', data: {} })),
  )
  const token = await api.token(['SENDER'])
  const countOf = async (query: string) => (await api.request('GET', `/commands${query}`, { token })).body.items.length
  expect([await countOf(''), await countOf('?limit=500'), await countOf('?limit=1')]).toEqual([100, 500, 1])
})

const paged = allRoutes.filter(([, { query, unknown }]) => query.includes('limit') && unknown === 'no id in its path')

describe.each(paged)('the pages of %s', (_, route) => {
  let path: string
  beforeAll(async () => {
    const [, address] = addressOf(route, await route.prepare?.(shared()))
    path = route.query.includes('items') ? `${address}?items=true&` : `${address}?`
  })

  test.each(['0', '501', '-1', '1.5', '1e2', 'ten', '', '%2010', '10&limit=20', '99999999999999999999'])(
    'have no limit of %s',
    async limit => expectFaults(await get(`${path}limit=${limit}`), 'limit'),
  )

  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  test.each([
    'x',
    '%00',
    encoded([]),
    encoded({ at: '2024-01-01' }),
    encoded(['2024-01-01T00:00:00Z', 'payments', 'x']),
    encoded(['not a time', 'payments', randomUUID()]),
    encoded([5, 'payments', randomUUID()]),
    encoded(['2024-01-01T00:00:00Z', 'pay\u0000ments', randomUUID()]),
    encoded(['2024-01-01T00:00:00Z', 'x'.repeat(100), randomUUID()]),
    'x'.repeat(501),
  ])('do not begin at %s', async cursor => expectFaults(await get(`${path}cursor=${cursor}`), 'cursor'))

  test('answer a forged cursor with 200 or 400, and never fail', async () => {
    for (const at of [
      'Jan 1 2024',
      '2024-01-01 GMT',
      '+010000-01-01T00:00:00Z',
      '0000-01-01T00:00:00Z',
      '2024-01-01',
    ]) {
      const { status } = await get(`${path}cursor=${encoded([at, 'payments', randomUUID()])}`)
      expect([200, 400], at).toContain(status)
    }
  })
})

test('a command is shown with its data, and with its result once there is one', async () => {
  const api = await createTestApi()
  const commandId = await parked(api, 'payments', { amount: 5, list: [1, null] })
  const show = async () =>
    (await api.request('GET', `/domains/payments/commands/${commandId}`, { token: await api.token(['SENDER']) })).body
  expect(await show()).toMatchObject({
    commandId,
    status: 'IN_TROUBLESHOOTING_QUEUE',
    attempts: 1,
    parkedAt: expect.any(String),
    parkedReason: 'PERMANENT',
    lastErrorType: expect.any(String),
    lastErrorCode: 'CARD_DECLINED',
    lastErrorMsg: 'the card was declined',
    data: { amount: 5, list: [1, null] },
    result: null,
  })
  await api.bus.troubleshooting.complete('payments', commandId, { operator: 'joe', resultData: { paid: true } })
  expect(await show()).toMatchObject({ status: 'COMPLETED', result: { paid: true }, parkedAt: null })
})

test('an audit trail goes from the oldest event to the newest, with keys of details in snake_case', async () => {
  const api = await createTestApi()
  const commandId = await parked(api)
  await api.bus.troubleshooting.cancel('payments', commandId, { operator: 'joe', reason: 'enough' })
  const token = await api.token(['AUDITOR'])
  const { status, body } = await api.request('GET', `/domains/payments/commands/${commandId}/audit`, { token })
  const names = body.items.map((entry: { eventType: string }) => entry.eventType)
  expect([status, names]).toEqual([200, ['SENT', 'RECEIVED', 'MOVED_TO_TROUBLESHOOTING_QUEUE', 'OPERATOR_CANCEL']])
  for (const entry of body.items) {
    expect(entry).toEqual({
      auditId: expect.any(String),
      domain: 'payments',
      commandId,
      eventType: expect.any(String),
      ts: expect.stringMatching(/^\d{4}-.*Z$/),
      actor: expect.any(String),
      revision: expect.any(Number),
      details: expect.any(Object),
    })
    for (const key of Object.keys(entry.details)) expect(key).toMatch(/^[a-z]+(_[a-z]+)*$/)
  }
  expect(body.items.at(-1)).toMatchObject({ actor: 'joe', details: { reason: 'enough' } })

  const only = (type: string) =>
    api.request('GET', `/domains/payments/commands/${commandId}/audit?eventType=${type}`, { token })
  expect((await only('OPERATOR_CANCEL')).body.items).toEqual(body.items.slice(3))
  for (const type of ['MOVED_TO_TSQ', 'MOVED_TO_TROUBLESHOOTING_QUEUE']) {
    expect((await only(type)).body.items).toEqual([body.items[2]])
  }
  expect((await only('COMPLETED')).body).toEqual({ items: [] })
  const wrong = await only('PARKED')
  expectFaults(wrong, 'eventType')
  for (const word of ['SENT', 'RETRY_EXHAUSTED', 'MOVED_TO_TSQ', 'OPERATOR_COMPLETE']) {
    expect(wrong.body.errors[0].message).toContain(word)
  }
  await expect(api.bus.getAuditTrail('payments', commandId, { eventType: 'PARKED' })).rejects.toThrow(
    /use one of SENT, /,
  )
})
