import { expect, test } from 'vitest'
import { closeHttp } from '../../../src/infrastructure/http/listen.ts'
import { createTestApi, type TestApi } from '../../support/http.ts'
import { answersIn, rawConnection, rawRequest } from '../../support/servers/raw-connection.ts'

const BODY = '{"commandType":"Charge","data":1}'

/** No send ends until it is released: it keeps a request in flight. */
const holdSends = async ({ pool, until }: TestApi) => {
  const client = await pool.connect()
  await client.query('begin; lock table command_bus_event in access exclusive mode')
  const waiting = () =>
    until(
      async () =>
        (
          await pool.query(
            `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          )
        ).rowCount ?? 0,
      count => count > 0,
    )
  const release = async () => {
    await client.query('rollback')
    client.release()
  }
  return { waiting, release }
}

test('on a stop, requests under way finish, new ones get a 503, and no new connection is accepted', async () => {
  const api = await createTestApi()
  await api.bus.send('payments', 'Charge', 0)
  const authorization = `Bearer ${await api.token(['SENDER'])}`
  const send = rawRequest('POST /api/v1/domains/payments/commands', { authorization }, BODY)
  const { waiting, release } = await holdSends(api)
  const busy = await rawConnection(api.url)
  const idle = await rawConnection(api.url)
  idle.write(rawRequest('GET /health/live'))
  await idle.heard(/alive/)
  busy.write(send)
  await waiting()

  const stopped = closeHttp(api.app)
  await idle.closed
  await api.until(
    async () => api.app.server.listening,
    listening => !listening,
  )
  await expect(fetch(`${api.url}/health/live`)).rejects.toThrow()
  busy.write(send)
  busy.write(rawRequest('GET /api/v1/commands', { authorization }))
  expect(busy.said()).toBe('')
  await release()

  const answers = answersIn(await busy.closed)
  expect(answers.map(({ status }) => status)).toEqual([202, 503])
  const [accepted, refused] = answers
  expect(refused?.head).toMatch(/retry-after: \d+/i)
  expect(refused?.head).toMatch(/connection: close/i)
  expect(refused?.head).toMatch(/application\/problem\+json/)
  expect(JSON.parse(refused?.body ?? '')).toMatchObject({
    status: 503,
    code: 'UNAVAILABLE',
    detail: expect.stringContaining('stopping'),
  })
  await stopped
  const { items } = await api.bus.queryCommands({ domain: 'payments' })
  expect(items.map(({ commandId }) => commandId)[0]).toBe(JSON.parse(accepted?.body ?? '').commandId)
  expect(items).toHaveLength(2)
})

test('a request that does not end in time is cut, so that the stop ends', async () => {
  const api = await createTestApi()
  await api.bus.send('payments', 'Charge', 0)
  const authorization = `Bearer ${await api.token(['SENDER'])}`
  const { waiting, release } = await holdSends(api)
  const busy = await rawConnection(api.url)
  busy.write(rawRequest('POST /api/v1/domains/payments/commands', { authorization }, BODY))
  await waiting()
  await closeHttp(api.app, 50)
  expect(await busy.closed).toBe('')
  await release()
})

test('a stop without requests waits for nobody', async () => {
  const api = await createTestApi()
  const idle = await rawConnection(api.url)
  idle.write(rawRequest('GET /health/live'))
  await idle.heard(/alive/)
  const silent = await rawConnection(api.url)
  // it would outlast the test if it waited for them
  await closeHttp(api.app, 600_000)
  await Promise.all([idle.closed, silent.closed])
})
