import { describe, expect, test } from 'vitest'
import { createTestApi, sharedTestApi } from '../../support/http.ts'

const ORIGIN = 'https://console.example.com'
const shared = sharedTestApi()

const preflight = {
  origin: ORIGIN,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
}
const allowing = (headers: Headers) => [...headers.keys()].filter(name => name.startsWith('access-control-'))

test('pages of other origins may not call, unless they are configured', async () => {
  const api = shared()
  const token = await api.token(['ADMIN'])
  const simple = await api.request('GET', '/commands', { token, headers: { origin: ORIGIN } })
  expect([simple.status, allowing(simple.headers)]).toEqual([200, []])
  const asked = await api.request('OPTIONS', '/domains/payments/commands', { headers: preflight })
  expect([asked.status, allowing(asked.headers)]).toEqual([404, []])
})

describe('with configured origins', () => {
  const open = sharedTestApi({ corsOrigins: [ORIGIN, 'https://other.example.com'] })

  test('their pages may call, without cookies, and can read Location and Retry-After', async () => {
    const api = open()
    const asked = await api.request('OPTIONS', '/domains/payments/commands', { headers: preflight })
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(asked.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE')
    expect(asked.headers.get('access-control-allow-headers')).toBe('authorization,content-type')
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull()
    const token = await api.token(['ADMIN'])
    const sent = await api.request('POST', '/domains/payments/commands', {
      token,
      body: { commandType: 'Charge', data: 1 },
      headers: { origin: ORIGIN },
    })
    expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([202, ORIGIN])
    expect(sent.headers.get('access-control-expose-headers')).toBe('location, retry-after, link, data-age')
  })

  test('their pages can read problems, too', async () => {
    for (const path of ['/commands', '/nothing']) {
      const { status, headers } = await open().request('GET', path, { headers: { origin: ORIGIN } })
      expect([status, headers.get('access-control-allow-origin')]).toEqual([path === '/commands' ? 401 : 404, ORIGIN])
    }
  })

  test.each(['https://evil.example.com', `${ORIGIN}.evil.com`, 'http://console.example.com', 'null', `${ORIGIN}:8443`])(
    'pages of %s may not',
    async origin => {
      const { headers } = await open().request('GET', '/commands', { headers: { origin } })
      expect(headers.get('access-control-allow-origin')).toBeNull()
      const asked = await open().request('OPTIONS', '/commands', { headers: { ...preflight, origin } })
      expect(asked.headers.get('access-control-allow-origin')).toBeNull()
    },
  )
})

test('every answer has the security headers for browsers', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN'])
  const sane = ['//', '//docs', '//openapi.json', '//health/live', '//health/ready', '//nothing', '/commands']
  for (const path of sane) {
    for (const given of [{}, { token }]) {
      const { headers } = await api.request('GET', path, given)
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('x-frame-options'), path).toBe('SAMEORIGIN')
      expect(headers.get('referrer-policy'), path).toBe('no-referrer')
      expect(headers.get('strict-transport-security'), path).toMatch(/max-age/)
      for (const name of ['x-powered-by', 'server']) expect(headers.get(name), path).toBeNull()
    }
  }
  for (const path of ['/domains/%zz/commands', `/domains/${'x'.repeat(600)}/commands`]) {
    const { headers } = await api.request('GET', path, { token })
    expect(headers.get('x-content-type-options'), path).toBe('nosniff')
  }
  for (const path of ['//', '//docs']) {
    const { headers } = await api.request('GET', path)
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
  }
})

test('HEAD answers as GET does, without a body', async () => {
  const token = await shared().token(['ADMIN'])
  for (const path of ['/commands', '/troubleshooting', '//health/live', '//openapi.json', '//docs']) {
    const [head, get] = [
      await shared().request('HEAD', path, { token }),
      await shared().request('GET', path, { token }),
    ]
    expect([path, head.status, head.body]).toEqual([path, get.status, ''])
  }
  expect((await shared().request('HEAD', '/commands')).status).toBe(401)
})
