import { expect, test } from 'vitest'
import { createTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectFaults } from '../../support/problem.ts'
import { footprint } from '../server/footprint.ts'

const numbers = ['9007199254740993', '-9007199254740993.0', '1e308', '5e-324', '999999999999999.99', '1'.repeat(400)]

test('R8: a number that would be rounded is refused as written, in a send and in an edited payload', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN'])
  const commandId = await parked(api, 'payments', {})
  const before = await footprint(api)
  for (const number of numbers) {
    const routes = [
      ['/domains/payments/commands', `{"commandType":"Charge","data":{"id":${number}}}`, 'data.id'],
      [
        '/domains/payments/commands/batch',
        `{"commands":[{"commandType":"Charge","data":[1,{"id":${number}}]}]}`,
        'commands[0].data[1].id',
      ],
      [`/domains/payments/commands/${commandId}/retry`, `{"data":{"id":${number}}}`, 'data.id'],
      [`/domains/payments/commands/${commandId}/complete`, `{"resultData":${number}}`, 'resultData'],
      ['/operations', `{"operation_type":"x","parameters":{"id":${number}}}`, 'parameters.id'],
    ] as const
    for (const [path, body, fault] of routes) {
      const answer = await api.request('POST', path, { token, body })
      expectFaults(answer, fault)
      expect(answer.body.detail).toMatch(/: send it as a text$/)
    }
  }
  expect(await footprint(api)).toEqual(before)
})

test('R8: a member called __proto__ is treated like any other, sent and edited', async () => {
  const api = await createTestApi()
  const token = await api.token(['ADMIN'])
  const member = '{"__proto__":{"a":1},"constructor":{"prototype":{}}}'
  const body = `{"commandType":"Charge","data":${member}}`
  const sent = await api.request('POST', '/domains/payments/commands', { token, body })
  expect(sent.status).toBe(202)
  const commandId = await parked(api, 'orders', {})
  const retried = await api.request('POST', `/domains/orders/commands/${commandId}/retry`, {
    token,
    body: `{"data":${member}}`,
  })
  expect(retried.status).toBe(200)
  for (const queue of ['payments__commands', 'orders__commands']) {
    const [message] = await api.messages(queue)
    expect(message?.message.data).toEqual(JSON.parse(member))
  }
})
