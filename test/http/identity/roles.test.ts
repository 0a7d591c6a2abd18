import { describe, expect, test } from 'vitest'
import { roles as allRoles } from '../../../src/application/ports/authorization.ts'
import { sharedTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'
import { addressOf, allRoutes } from '../contract/table.ts'

const shared = sharedTestApi()

test('the roles are those of the contract', () => {
  expect([...allRoles].sort()).toEqual([
    'ADMIN',
    'AUDITOR',
    'BUBBLE_ADMIN',
    'CUSTOMER_ADMIN',
    'OPERATOR',
    'SENDER',
    'USER',
  ])
})

describe.each(allRoutes)('%s', (_, route) => {
  const [method, path] = addressOf(route)
  const ask = async (token: string, body = route.body) => shared().request(method, path, { token, body })

  test.each(allRoles)('as %s', async role => {
    const answer = await ask(await shared().token([role]))
    if (route.roles.includes(role)) expect([route.succeeds, 404, 409]).toContain(answer.status)
    else {
      expectProblem(answer, 403, 'FORBIDDEN')
      for (const allowed of route.roles) expect(answer.body.detail).toContain(allowed)
    }
  })

  test('as USER with a further role', async () => {
    for (const role of route.roles) {
      expect((await ask(await shared().token(['USER', role]))).status, role).not.toBe(403)
    }
  })

  test('without a role, or with roles of other systems only', async () => {
    expectProblem(await ask(await shared().token([])), 403, 'FORBIDDEN')
    const strange = ['admin', 'Admin', 'ADMIN ', 'ROOT', '__proto__', ''] as never[]
    expectProblem(await ask(await shared().token(strange)), 403, 'FORBIDDEN')
  })

  test('a caller without the permission is refused before the request is checked', async () => {
    const other = allRoles.find(role => !route.roles.includes(role)) ?? 'USER'
    const refused = await ask(await shared().token([other]), route.body === undefined ? undefined : '{ not JSON')
    expectProblem(refused, 403, 'FORBIDDEN')
  })
})

test('health, the description and the page need no token', async () => {
  for (const path of ['/', '/docs', '/openapi.json', '/health/live', '/health/ready']) {
    expect((await shared().request('GET', `/${path}`)).status, path).toBe(200)
  }
})

test('an unknown address answers 404 without asking for a token', async () => {
  for (const path of ['/nothing', '/domains', '/domains/payments', '/Commands', '/commands/', '/troubleshooting/x']) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      expectProblem(await shared().request(method, path), 404, 'NOT_FOUND')
    }
  }
  for (const [, route] of allRoutes) {
    const [, path] = addressOf(route)
    const wrong = await shared().request('PATCH', path)
    expectProblem(
      wrong,
      404,
      'NOT_FOUND',
      `this address takes ${wrong.headers.get('allow')?.replaceAll(', ', ' and ')}`,
    )
    expect(wrong.headers.get('allow')).toContain(addressOf(route)[0])
  }
})
