import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { signToken } from '../../../src/infrastructure/http/identity/token.ts'
import { createTestApi, SECRET, type TestApi } from '../../support/http.ts'
import { expectFaults } from '../../support/problem.ts'

interface Stream {
  /** Frames with data, as they came. */
  readonly events: readonly { readonly id: string; readonly data: Record<string, unknown> }[]
  readonly response: IncomingMessage
  readonly lastId: () => string
}

const open = async (api: TestApi, path: string, headers: Record<string, string>): Promise<Stream> => {
  const request = get(`${api.url}/api/v1/events${path}`, { headers })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const events: { id: string; data: Record<string, unknown> }[] = []
  let lastId = ''
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    const frames = (rest + text).split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const id = /^id: (.*)$/m.exec(frame)?.[1]
      const data = /^data: (.*)$/m.exec(frame)?.[1]
      if (id !== undefined) lastId = id
      if (id !== undefined && data !== undefined) events.push({ id, data: JSON.parse(data) })
    }
  })
  response.on('error', () => {})
  return { events, response, lastId: () => lastId }
}

const authorized = async (api: TestApi, tenant?: string) => ({
  authorization: `Bearer ${await api.token(['AUDITOR', 'SENDER'], tenant === undefined ? {} : { tenant })}`,
})

describe('GET /events', () => {
  test('a client that is killed and resumes with Last-Event-ID sees every event once', async () => {
    const api = await createTestApi()
    const headers = await authorized(api)
    const first = await open(api, '?domain=payments', headers)
    expect(first.response.statusCode).toBe(200)
    expect(first.response.headers['content-type']).toMatch(/^text\/event-stream/)
    await api.until(
      async () => first.lastId(),
      id => id !== '',
    )
    const send = (count: number) =>
      api.bus.sendBatch(
        'payments',
        Array.from({ length: count }, () => ({ commandType: 'Charge', data: {} })),
      )
    await send(30)
    await api.bus.send('billing', 'Invoice', {})
    await api.until(
      async () => first.events.length,
      seen => seen >= 10,
    )
    first.response.destroy()
    const before = [...first.events]
    await send(30)
    const second = await open(api, '?domain=payments', { ...headers, 'last-event-id': before.at(-1)?.id ?? '' })
    await api.until(
      async () => before.length + second.events.length,
      seen => seen >= 60,
    )
    second.response.destroy()
    const streams = [...before, ...second.events].map(({ data }) => data.stream)
    expect(streams).toHaveLength(60)
    expect(new Set(streams).size).toBe(60)
    for (const { data } of second.events) expect(data).toMatchObject({ type: 'CommandSent', domain: 'payments' })
    // a position of another server, or of this one before a restore
    const [xid, place] = before[0]?.id.split('/') ?? []
    const foreign = { ...headers, 'last-event-id': `${Number(xid) - 1}/${place}` }
    expect(await api.request('GET', '/events', { headers: foreign })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', detail: expect.stringMatching(/no event of this log has that position/) },
    })
  })

  test('a tenant sees its own events only', async () => {
    const api = await createTestApi()
    const mine = await open(api, '', await authorized(api, 't1'))
    await api.until(
      async () => mine.lastId(),
      id => id !== '',
    )
    await api.bus.send('payments', 'Charge', {}, { tenantId: 't2' })
    const { commandId } = await api.bus.send('payments', 'Charge', {}, { tenantId: 't1' })
    await api.until(
      async () => mine.events.length,
      seen => seen > 0,
    )
    expect(mine.events.map(({ data }) => data.commandId)).toEqual([commandId])
    mine.response.destroy()
  })

  test('a missing token or right, a foreign Last-Event-ID or an invalid filter is refused before anything is written', async () => {
    const api = await createTestApi()
    const token = await api.token(['AUDITOR'])
    expect((await api.request('GET', '/events')).status).toBe(401)
    expect((await api.request('GET', '/events', { token: await api.token(['USER']) })).status).toBe(403)
    const bad = await api.request('GET', '/events', { token, headers: { 'last-event-id': 'x' } })
    expect(bad).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } })
    expect((await api.request('GET', '/events?tenantId=t2', { token })).status).toBe(400)
    expectFaults(await api.request('GET', '/events?domain=a%20b', { token }), 'domain')
  })

  test('a stream ends regularly when its token expires, so that the client connects again', async () => {
    const api = await createTestApi()
    const jane = { subject: 'jane@example.com', tenant: null, roles: ['AUDITOR'] } as const
    // the allowed difference of clocks keeps it valid for another moment
    const token = await signToken({ secret: SECRET }, jane, -3)
    const stream = await open(api, '', { authorization: `Bearer ${token}` })
    expect(stream.response.statusCode).toBe(200)
    await once(stream.response, 'end')
    expect(stream.response.complete).toBe(true)
    expect((await api.request('GET', '/events', { token })).status).toBe(401)
  })

  test('streams end regularly when the server stops, and the server does not wait for their connections', async () => {
    const api = await createTestApi({ limits: { keepAliveMs: 600_000 } })
    const stream = await open(api, '', await authorized(api))
    const ended = once(stream.response, 'end')
    await api.app.close()
    await ended
    expect(stream.response.complete).toBe(true)
  })
})
