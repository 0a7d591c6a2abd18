import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { createTestApi, type TestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'
import { addressOf, allRoutes } from '../contract/table.ts'

/** Longer than any test takes: only the test itself ends a read. */
const NEVER_MS = 600_000
const everything = ['ADMIN', 'BUBBLE_ADMIN'] as const
const send = (api: TestApi, token: string) =>
  api.request('POST', '/domains/payments/commands', { token, body: { commandType: 'Charge', data: {} } })

/** Makes reads of these tables wait; returns the function that ends that. */
const lock = async ({ bus, pool }: TestApi, ...tables: readonly string[]): Promise<() => Promise<void>> => {
  await bus.ready()
  const client = await pool.connect()
  // a test that fails ends its database
  client.on('error', () => {})
  await client.query(`begin; lock table ${tables.join(', ')} in access exclusive mode`)
  return async () => {
    await client.query('rollback')
    client.release()
  }
}

/** How many statements wait for a lock on the server. */
const waiting = async ({ pool }: TestApi): Promise<number> => {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and state = 'active' and wait_event_type = 'Lock'`,
  )
  return rows[0]?.count ?? 0
}

test('G6: however many reads of one token hang, its sends and the reads of others go on', async () => {
  const api = await createTestApi({ readTimeoutMs: NEVER_MS }, { readTimeoutMs: NEVER_MS })
  const token = await api.token(everything)
  const unlock = await lock(api, 'command_bus_workflow_run')
  const settled: number[] = []
  const reads = Array.from({ length: 30 }, async () => {
    const { status } = await api.request('GET', '/workflow-runs', { token })
    settled.push(status)
  })
  await api.until(
    () => waiting(api),
    count => count > 0,
  )
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(api, token)))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202))
  const others = await Promise.all(
    (['AUDITOR', 'SENDER'] as const).map(async role =>
      api.request('GET', '/commands', { token: await api.token([role]) }),
    ),
  )
  expect(others.map(({ status, body }) => [status, body.items.length])).toEqual([
    [200, 20],
    [200, 20],
  ])
  expect(settled).toEqual([])
  // and not because the pool is large: the hanging reads use a few connections
  expect(await waiting(api)).toBeLessThanOrEqual(4)
  await unlock()
  await Promise.all(reads)
  expect(new Set(settled)).toEqual(new Set([200]))
})

test('G6: every reading route has a time limit, which also ends the query on the server', async () => {
  const api = await createTestApi({ readTimeoutMs: 200 }, { readTimeoutMs: 1_000 })
  const token = await api.token(['ADMIN', 'BUBBLE_ADMIN', 'OPERATOR', 'USER'])
  const { rows } = await api.pool.query(
    "select tablename from pg_tables where schemaname = 'public' and tablename like 'command\\_bus\\_%'",
  )
  const unlock = await lock(api, ...rows.map(({ tablename }) => tablename))
  const reading = allRoutes.filter(([, { is, fromMemory }]) => is.startsWith('GET') && !fromMemory)
  for (const [id, route] of reading) {
    const answer = await api.request(...addressOf(route), { token })
    expect([id, answer.status]).toEqual([id, 503])
    expectProblem(answer, 503, 'UNAVAILABLE', /took longer than 0.2 s and was ended/)
  }
  for (const [id, route] of allRoutes.filter(([id]) => id === 'dryRunAction' || id === 'retryCommand')) {
    const body = { ...(route.body as object), ...(id === 'retryCommand' ? { dryRun: true } : {}) }
    const answer = await api.request(...addressOf(route), { token, body })
    expect([id, answer.status]).toEqual([id, 503])
    expectProblem(answer, 503, 'UNAVAILABLE', /took longer than 0.2 s/)
  }
  await api.until(
    () => waiting(api),
    count => count === 0,
  )
  await unlock()
  expect((await api.request('GET', '/commands', { token })).status).toBe(200)
})

test('G6: closing the connection ends its query on the server', async () => {
  const api = await createTestApi({ readTimeoutMs: NEVER_MS }, { readTimeoutMs: NEVER_MS })
  const token = await api.token(everything)
  const unlock = await lock(api, 'command_bus_workflow_run')
  const hangUp = new AbortController()
  const asked = fetch(`${api.url}/api/v1/workflow-runs`, {
    headers: { authorization: `Bearer ${token}` },
    signal: hangUp.signal,
  })
  await api.until(
    () => waiting(api),
    count => count === 1,
  )
  hangUp.abort()
  await expect(asked).rejects.toThrow()
  await api.until(
    () => waiting(api),
    count => count === 0,
  )
  await unlock()
  expect(api.logged.join('')).not.toContain('a request failed')
  expect((await api.request('GET', '/workflow-runs', { token })).status).toBe(200)
})

test('G6: a token has a limit of reads in a minute; other tokens, and its writes, go on', async () => {
  const api = await createTestApi({ readsPerMinute: 3 })
  const token = await api.token(['ADMIN'])
  const paths = ['/commands', '/stats', '/troubleshooting', '/commands', '/events']
  const answers = []
  for (const path of paths) answers.push(await api.request('GET', path, { token }))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429])
  expectProblem(answers[3] as never, 429, 'RATE_LIMITED', /may read 3 times a minute: try again in \d+ s/)
  expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await send(api, token)).status).toBe(202)
  expect((await api.request('GET', '/commands', { token: await api.token(['AUDITOR']) })).status).toBe(200)
})

const live = async (api: TestApi, token: string): Promise<IncomingMessage> => {
  const [response] = await once(
    get(`${api.url}/api/v1/events`, { headers: { authorization: `Bearer ${token}` } }),
    'response',
  )
  return response.on('error', () => {})
}

test('G6: live readers are limited per token: further ones are refused, those of other tokens are not', async () => {
  const api = await createTestApi({ liveReadersPerToken: 2 })
  const token = await api.token(['AUDITOR'])
  const first = await live(api, token)
  const second = await live(api, token)
  expect([first.statusCode, second.statusCode]).toEqual([200, 200])
  const third = await api.request('GET', '/events', { token })
  expectProblem(third, 429, 'RATE_LIMITED', /has 2 live event streams open/)
  const other = await live(api, await api.token(['OPERATOR']))
  expect(other.statusCode).toBe(200)
  first.destroy()
  const next = await api.until(
    () => live(api, token),
    ({ statusCode }) => statusCode === 200,
  )
  for (const response of [second, other, next]) response.destroy()
})
