import { expect, test } from 'vitest'
import { createTestApi, type TestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'
import { addressOf, allRoutes } from '../contract/table.ts'

const command = { commandType: 'Charge', data: 1 }
const send = (api: TestApi, token: string, headers: Record<string, string> = {}) =>
  api.request('POST', '/domains/payments/commands', { token, body: command, headers })

test("above a token's limit of writes the refusal says when to try again, and nothing is sent", async () => {
  const api = await createTestApi({ writesPerMinute: 3 })
  const token = await api.token(['ADMIN'])
  const answers = []
  for (let i = 0; i < 5; i++) answers.push(await send(api, token))
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 429, 429])
  expect(answers.map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual(['2', '1', '0', '0', '0'])
  for (const answer of answers.slice(3)) {
    expectProblem(answer, 429, 'RATE_LIMITED', /3 times a minute/)
    const seconds = Number(answer.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(60)
  }
  expect((await api.bus.queryCommands({ domain: 'payments' })).items).toHaveLength(3)
})

test('other tokens, also of the same person, and all reads go on', async () => {
  const api = await createTestApi({ writesPerMinute: 1 })
  const token = await api.token(['ADMIN'])
  await send(api, token)
  expect((await send(api, token)).status).toBe(429)
  expect((await send(api, await api.token(['ADMIN'], { sub: 'joe@example.com' }))).status).toBe(202)
  expect((await send(api, await api.token(['SENDER']))).status).toBe(202)
  for (const [, route] of allRoutes.filter(([, { is }]) => is.startsWith('GET'))) {
    for (let i = 0; i < 3; i++) {
      expect((await api.request(...addressOf(route), { token })).status).not.toBe(429)
    }
  }
})

test('all routes that write share one count', async () => {
  const writes = allRoutes.filter(([, { is }]) => !is.startsWith('GET'))
  const api = await createTestApi({ writesPerMinute: writes.length })
  const token = await api.token(['ADMIN', 'BUBBLE_ADMIN'])
  const all = async () => {
    const statuses = []
    for (const [, route] of writes) {
      statuses.push((await api.request(...addressOf(route), { token, body: route.body })).status)
    }
    return statuses
  }
  expect(await all()).not.toContain(429)
  expect(new Set(await all())).toEqual(new Set([429]))
})

test('the same token in another spelling counts as the same', async () => {
  const api = await createTestApi({ writesPerMinute: 1 })
  const token = await api.token(['ADMIN'])
  await send(api, token)
  const last = token.at(-1) ?? ''
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // the last character of a signature has two unused bits
  const twins = [...alphabet].filter(other => alphabet.indexOf(other) >> 2 === alphabet.indexOf(last) >> 2)
  const written = [`bearer ${token}`, `BEARER ${token}`, ...twins.map(twin => `Bearer ${token.slice(0, -1)}${twin}`)]
  for (const authorization of written) {
    expect([429, 401]).toContain((await send(api, token, { authorization })).status)
  }
})

test('a caller without the right to write, or unknown, does not count', async () => {
  const api = await createTestApi({ writesPerMinute: 1 })
  const token = await api.token(['SENDER'])
  const [header, payload] = token.split('.')
  for (let i = 0; i < 3; i++) {
    expect((await send(api, `${header}.${payload}.forged`)).status).toBe(401)
    expect((await send(api, await api.token(['AUDITOR']))).status).toBe(403)
  }
  expect((await send(api, token)).status).toBe(202)
})

test('without a limit nobody is held up', async () => {
  const api = await createTestApi()
  const token = await api.token(['SENDER'])
  const answers = await Promise.all(Array.from({ length: 300 }, () => send(api, token)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
  expect(answers[0]?.headers.get('x-ratelimit-limit')).toBeNull()
})
