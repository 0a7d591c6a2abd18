import { expect, test } from 'vitest'
import { parseBody } from '../../src/infrastructure/http/parse-body.ts'
import { createTestApi } from '../support/http.ts'

test('R8: over HTTP a number is refused before it is rounded, and __proto__ is a member like any other', async () => {
  const api = await createTestApi()
  const token = await api.token(['SENDER'])
  // the typed body would be rounded here already
  expect(() => parseBody(Buffer.from('{"commands":[{"data":{"id":9007199254740993}}]}'))).toThrow(
    /^commands\[0\]\.data\.id: is 9007199254740993, a number beyond 2\^53 - 1/,
  )
  const body = { commandType: 'Charge', data: { id: 2 ** 53 + 2 } }
  const refused = await api.request('POST', '/domains/payments/commands', { token, body })
  expect([refused.status, refused.body]).toMatchObject([400, { errors: [{ path: 'data.id' }] }])
  const proto = { commandType: 'Charge', data: JSON.parse('{"__proto__":{"a":1}}') }
  const sent = await api.request('POST', '/domains/payments/commands', { token, body: proto })
  expect(sent.status).toBe(202)
  const [message] = await api.messages('payments__commands')
  expect(JSON.stringify(message)).toContain('{"__proto__":{"a":1}}')
})
