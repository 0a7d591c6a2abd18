import { beforeAll, describe, expect, test } from 'vitest'
import { sharedTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'

const shared = sharedTestApi()
let id = ''
let token = ''

beforeAll(async () => {
  id = await parked(shared(), 'payments', { amount: 5 }, { replyTo: 'shop__replies' })
  await shared().bus.troubleshooting.retry('payments', id, { operator: 'jane', data: { amount: 6 } })
  token = await shared().token(['AUDITOR'])
})

const history = (query = '', as = token) =>
  shared().request('GET', `/domains/payments/commands/${id}/history${query}`, { token: as })

describe('the history of a command', () => {
  test('shows each event, the state after it and what it changed, up to the present state', async () => {
    const { status, body } = await history()
    expect([status, body.domain, body.commandId, body.comparison]).toEqual([200, 'payments', id, null])
    const names = body.items.flatMap((step: { names: string[] }) => step.names)
    expect(names).toEqual(['SENT', 'RECEIVED', 'MOVED_TO_TROUBLESHOOTING_QUEUE', 'OPERATOR_RETRY'])
    const last = body.items.at(-1)
    expect(last).toMatchObject({ revision: 3, actor: 'jane', event: { type: 'OperatorRetried', data: { amount: 6 } } })
    expect(last.diff).toContainEqual({ op: 'replace', path: '/data/amount', from: 5, to: 6 })
    expect(body.items[0].event.data).toEqual({ amount: 5 })
    expect(body.state).toEqual(last.state)
    const now = (await shared().bus.getCommand('payments', id)) as object
    for (const [name, value] of Object.entries(body.state)) {
      if (name in now) expect([name, value]).toEqual([name, now[name as keyof typeof now]])
    }
  })

  test('ends at a revision, and at an instant', async () => {
    const all = (await history()).body.items
    const parkedThen = await history('?at=2')
    expect(parkedThen.body.items).toEqual(all.slice(0, 3))
    expect(parkedThen.body.state).toMatchObject({ status: 'IN_TROUBLESHOOTING_QUEUE', lastErrorCode: 'CARD_DECLINED' })
    const instant = await history(`?at=${all[2].at}`)
    expect(instant.body.state).toEqual(parkedThen.body.state)
    expect((await history('?at=2000-01-01')).body).toMatchObject({ items: [], state: null })
    expect((await history('?at=2999-01-01')).body.items).toEqual(all)
  })

  test('compares two moments', async () => {
    const { body } = await history('?from=2&to=3')
    expect(body.items.map((step: { revision: number }) => step.revision)).toEqual([3])
    expect(body.comparison).toMatchObject({ from: { moment: 2, revision: 2 }, to: { moment: 3, revision: 3 } })
    expect(body.comparison.diff).toContainEqual({ op: 'replace', path: '/data/amount', from: 5, to: 6 })
    const sinceEver = await history(`?from=2000-01-01&to=${new Date().toISOString()}`)
    expect(sinceEver.body.comparison.from).toEqual({ moment: '2000-01-01T00:00:00.000Z', revision: null, state: null })
    expect(sinceEver.body.items).toHaveLength(4)
    expect((await history('?from=3&to=2')).body.comparison.diff).toContainEqual({
      op: 'replace',
      path: '/data/amount',
      from: 6,
      to: 5,
    })
  })

  test('refuses an invalid moment, and says what is valid', async () => {
    for (const at of ['4', '-1', '1.5', 'yesterday', '2026-02-30', '99999999999', '%20']) {
      expectFaults(await history(`?at=${at}`), 'at')
    }
    expectFaults(await history('?from=1'), 'from, to')
    expectFaults(await history('?from=1&to=2&at=1'), 'at')
    expect((await history('?at=4')).body.detail).toContain('the last one is 3')
  })

  test('is visible to its own tenant only', async () => {
    const theirs = await parked(shared(), 'billing', {}, { tenantId: 't1' })
    const ask = async (tenant?: string) =>
      shared().request('GET', `/domains/billing/commands/${theirs}/history`, {
        token: await shared().token(['ADMIN'], tenant === undefined ? {} : { tenant }),
      })
    expect((await ask('t1')).status).toBe(200)
    expect((await ask()).status).toBe(200)
    expectProblem(await ask('t2'), 404, 'COMMAND_NOT_FOUND')
  })
})

test('the commands of a correlation id are shown within the tenant, and any id may be queried', async () => {
  const { bus, request } = shared()
  const correlationId = 'order 7/8 "x" %'
  const { commandId } = await bus.send('billing', 'X', {}, { correlationId, tenantId: 't1' })
  const ask = async (tenant?: string, role: 'AUDITOR' | 'ADMIN' = 'AUDITOR') =>
    (
      await request('GET', `/correlations/${encodeURIComponent(correlationId)}`, {
        token: await shared().token([role], tenant === undefined ? {} : { tenant }),
      })
    ).body
  expect((await ask()).items).toEqual([])
  expect(await ask(undefined, 'ADMIN')).toMatchObject({
    correlationId,
    truncated: false,
    items: [{ commandId, cause: null, depth: 0 }],
  })
  expect((await ask('t1')).items).toHaveLength(1)
  expect((await ask('t2')).items).toEqual([])
})

test('the troubleshooting queue is shown as it was, within the tenant', async () => {
  const { request } = shared()
  const theirs = await parked(shared(), 'archive', {}, { tenantId: 't3' })
  const ask = async (query: string, tenant = 't3') =>
    request('GET', `/troubleshooting/history${query}`, { token: await shared().token(['AUDITOR'], { tenant }) })
  const now = await ask('')
  expect(now.body.items).toMatchObject([{ commandId: theirs, lastErrorCode: 'CARD_DECLINED', revision: 2 }])
  expect((await ask('', 't2')).body.items).toEqual([])
  expect((await ask('?at=2020-01-01')).body).toEqual({ at: '2020-01-01T00:00:00.000Z', items: [], nextCursor: null })
  await shared().bus.troubleshooting.complete('archive', theirs, { operator: 'jane' })
  expect((await ask('')).body.items).toEqual([])
  expect((await ask(`?at=${now.body.items[0].parkedAt}`)).body.items).toEqual(now.body.items)
  expectFaults(await ask('?at=3'), 'at')
})

test('a run is shown as it was, to those who audit it within its tenant', async () => {
  const { bus, request, token } = shared()
  const principal = { subject: 'jane@example.com', tenant: 't1' }
  const { id: templateId } = await bus.runs.createTemplate(principal, { name: 'Free', creditsPerRun: 0 })
  const { id } = await bus.runs.initiate(principal, { templateId, files: [{ fileName: 'a.pdf', input: { page: 1 } }] })
  await bus.runs.cancel(principal, id)
  const ask = async (query: string, tenant = 't1') =>
    request('GET', `/workflow-runs/${id}/history${query}`, { token: await token(['AUDITOR'], { tenant }) })
  const { body } = await ask('')
  expect(body.items.length).toBeGreaterThan(1)
  expect(body.items[0]).toMatchObject({ names: ['INITIATED'], event: { files: [{ input: { page: 1 } }] } })
  expect(body.items[0].state).not.toHaveProperty('files')
  expect(body.state).toMatchObject({ status: 'CANCELLED', files: [{ fileName: 'a.pdf', open: false }] })
  expect((await ask('?at=0')).body).toMatchObject({ id, items: [body.items[0]], state: { status: 'QUEUED' } })
  expect((await ask('?from=0&to=1')).body.comparison.diff).toEqual(body.items[1].diff)
  expectFaults(await ask('?at=99'), 'at')
  expectProblem(await ask('', 't2'), 403, 'FORBIDDEN')
})
