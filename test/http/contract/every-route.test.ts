import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { api as declared } from '../../../src/contract/index.ts'
import type { Route } from '../../../src/contract/route.ts'
import { createTestApi, type SharedApi, sharedTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'
import { addressOf, allRoutes, type Expected, expected, routesWithBody, routesWithId, routesWithUuid } from './table.ts'

const routeOf = (id: keyof typeof declared): Route => declared[id]

const prepared = (api: SharedApi, { prepare = parked }: Expected): Promise<string> => prepare(api)

const nameOfId = ({ is }: Expected): string => (is.includes(':commandId') ? 'commandId' : 'id')

const shared = sharedTestApi()

test('every declared route is in the table of expectations, with its method and path', () => {
  const routes = Object.entries(declared).map(([id, { method, path }]) => [id, `${method} ${path}`])
  expect(routes).toEqual(allRoutes.map(([id, { is }]) => [id, is]))
})

describe.each(allRoutes)('%s', (id, route) => {
  test('answers in the declared shape and status, and must not be cached', async () => {
    const api = shared()
    const [method, path] = addressOf(route, await prepared(api, route))
    const answer = await api.request(method, path, {
      token: await api.token(['ADMIN', 'BUBBLE_ADMIN']),
      body: (await route.prepareBody?.(api)) ?? route.body,
    })
    expect(answer.status).toBe(route.succeeds)
    expect(answer.status).toBe(routeOf(id).success.status)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(t.exact(routeOf(id).success.body as t.HasProps).decode(answer.body)).toEqual({
      _tag: 'Right',
      right: answer.body,
    })
  })

  test('refuses a request without a token', async () => {
    const api = shared()
    expectProblem(await api.request(...addressOf(route), { body: route.body }), 401, 'UNAUTHENTICATED', /Bearer/)
  })

  test('refuses an unknown name in the query', async () => {
    const api = shared()
    const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
    const [method, path] = addressOf(route)
    const answer = await api.request(method, `${path}${path.includes('?') ? '&' : '?'}surprise=1`, {
      token,
      body: route.body,
    })
    expectFaults(answer, 'surprise')
    for (const name of route.query) expect(answer.body.errors[0].message).toContain(name)
  })

  test('is unavailable while the database is, and says when to try again', async () => {
    const api = await createTestApi()
    const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
    await api.bus.ready()
    await api.database.drop()
    const answer = await api.request(...addressOf(route), { token, body: route.body })
    if (route.fromMemory) return expect(answer.status).toBe(200)
    expectProblem(answer, 503, 'UNAVAILABLE')
    expect(answer.body.detail).not.toContain('commandbus_test_')
  })

  test('refuses an invalid domain name', async () => {
    const api = shared()
    const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
    for (const domain of ['Payments', 'a%20b', 'a..b', '%00', 'x'.repeat(60), "a'--"]) {
      const [method, path] = addressOf(route, undefined, domain)
      if (!path.includes(domain)) continue
      const answer = await api.request(method, path, { token, body: route.body })
      expectProblem(answer, 400, 'INVALID_REQUEST')
      expect(answer.body.errors[0].path).toMatch(/\bdomain$/)
    }
  })
})

describe.each(routesWithId)('%s', (_, route) => {
  test('of an unknown id', async () => {
    const api = shared()
    const answer = await api.request(...addressOf(route), {
      token: await api.token(['ADMIN', 'BUBBLE_ADMIN']),
      body: route.body,
    })
    if (route.unknown === 'empty list') expect([answer.status, answer.body]).toEqual([200, { items: [] }])
    else expectProblem(answer, 404, route.unknown)
  })

  test.runIf(route.is.includes(':domain'))('of a command of the same id in another domain', async () => {
    const api = shared()
    const commandId = await prepared(api, route)
    const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
    const answer = await api.request(...addressOf(route, commandId, 'shipping'), { token, body: route.body })
    expect(answer.body.code ?? answer.body.items).toEqual(route.unknown === 'empty list' ? [] : route.unknown)
  })
})

describe.each(routesWithUuid)('%s', (_, route) => {
  test.each(['1', 'null', 'x'.repeat(36), '00000000-0000-4000-8000-00000000dea', '%00', "'or 1=1"])(
    'of %s, which is not an id',
    async commandId => {
      const api = shared()
      const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
      expectFaults(await api.request(...addressOf(route, commandId), { token, body: route.body }), nameOfId(route))
    },
  )

  test('treats an id in capitals as the same id', async () => {
    const api = shared()
    const commandId = await prepared(api, route)
    const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
    const answer = await api.request(...addressOf(route, commandId.toUpperCase()), { token, body: route.body })
    expect(answer.status).toBe(route.succeeds)
    const first = nameOfId(route) in answer.body ? answer.body : (answer.body.items?.[0] ?? answer.body)
    expect([first[nameOfId(route)], first.parent_operation_id, first.actionId, first.pauseId]).toContain(commandId)
  })
})

describe.each(routesWithBody)('the body of %s', (_, route) => {
  const address = addressOf(route)

  const send = async (body: string, headers: Record<string, string> = {}) => {
    const api = shared()
    return api.request(...address, { token: await api.token(['ADMIN', 'BUBBLE_ADMIN']), body, headers })
  }

  test('must not have unknown members', async () => {
    expectFaults(await send(JSON.stringify({ ...(route.body as object), surprise: 1 })), 'surprise')
  })

  test.each(['[]', '"text"', '1', 'true'])('must be an object, not %s', async body => {
    expectFaults(await send(body), 'body')
  })

  test.each(['{', '{"a":1,}', "{'a':1}", 'NaN', '\u0000'])('must be JSON, not %j', async body => {
    expectProblem(await send(body), 400, 'INVALID_REQUEST', /JSON/)
  })

  test('R8: must not have a number that would be rounded', async () => {
    expectFaults(await send('{"a":[9007199254740993]}'), 'a[0]')
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data; boundary=x'])(
    'must not be sent as %s',
    async type => {
      const answer = await send(JSON.stringify(route.body), { 'content-type': type })
      expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE', /application\/json/)
    },
  )

  test('may have a charset in its content type', async () => {
    const answer = await send(JSON.stringify(route.body), { 'content-type': 'application/json; charset=utf-8' })
    expect(answer.status).not.toBe(415)
  })

  test('may be left out when nothing in it is required', async () => {
    const api = shared()
    const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
    const isOptional = Object.keys(route.body as object).length === 0
    for (const headers of [{}, { 'content-type': 'application/json' }]) {
      const answer = await api.request(...address, { token, headers })
      if (isOptional && route.unknown === 'no id in its path') expect(answer.status).toBe(route.succeeds)
      else if (isOptional) expectProblem(answer, 404, route.unknown)
      else expectFaults(answer, ...(route.required ?? Object.keys(route.body as object)))
    }
  })
})

test('the table names a body for exactly the routes that declare one', () => {
  for (const [id, { body }] of allRoutes) expect([id, body === undefined]).toEqual([id, routeOf(id).body === null])
  expect(Object.keys(expected)).toHaveLength(allRoutes.length)
})
