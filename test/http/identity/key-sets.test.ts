import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { createTestApi, SECRET, type TestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'
import { openKeyServer, signingKey } from '../../support/servers/key-server.ts'

const ask = (api: TestApi, token: string) => api.request('GET', '/commands', { token })

const setUp = async () => {
  const keys = await openKeyServer()
  const api = await createTestApi({ identity: { jwksUrl: keys.url } })
  return { keys, api }
}

test.each(['RS256', 'RS512', 'PS256', 'ES256', 'EdDSA'])('a token signed by %s is valid', async alg => {
  const { keys, api } = await setUp()
  const [key, stranger] = [signingKey(alg, 'k1'), signingKey(alg, 'k1')]
  keys.publish(key)
  expect((await ask(api, await key.sign())).status).toBe(200)
  expectProblem(await ask(api, await stranger.sign()), 401, 'UNAUTHENTICATED')
  expectProblem(await ask(api, await key.sign({ exp: 1 })), 401, 'UNAUTHENTICATED', 'expired')
  expect(keys.asked()).toBe(1)
})

test('a new key is fetched, and a removed key is no longer valid', async () => {
  const { keys, api } = await setUp()
  const [old, fresh] = [signingKey('RS256', '2026-01'), signingKey('ES256', '2026-02')]
  keys.publish(old)
  expect((await ask(api, await old.sign())).status).toBe(200)
  keys.publish(old, fresh)
  // right after a fetch there is no other, so that many invented names do not cause many fetches
  const token = await fresh.sign()
  await api.until(
    () => ask(api, token),
    ({ status }) => status === 200,
  )
  expect(keys.asked()).toBe(2)
  keys.publish(fresh)
  const unknown = await signingKey('ES256', '2026-03').sign()
  await api.until(
    async () => {
      expectProblem(await ask(api, unknown), 401, 'UNAUTHENTICATED')
      return keys.asked()
    },
    asked => asked === 3,
  )
  expectProblem(await ask(api, await old.sign()), 401, 'UNAUTHENTICATED')
  expect((await ask(api, token)).status).toBe(200)
})

test('many tokens with invented keys do not cause many fetches', async () => {
  const { keys, api } = await setUp()
  keys.publish(signingKey('ES256', 'known'))
  const made = await Promise.all(Array.from({ length: 100 }, (_, i) => signingKey('ES256', `made-up-${i}`).sign()))
  const started = Date.now()
  for (const answer of await Promise.all(made.map(token => ask(api, token)))) {
    expectProblem(answer, 401, 'UNAUTHENTICATED')
  }
  expect(keys.asked()).toBeLessThanOrEqual(2 + Math.floor((Date.now() - started) / 1000))
})

test.each([
  ['is down', undefined],
  ['fails', [500, 'sorry']],
  ['knows no such page', [404, 'nothing here']],
  ['answers with a page', [200, '<html>']],
  ['answers with something else', [200, '{"hello":"world"}']],
  ['sends us elsewhere', [302, '']],
] as const)('while the key server %s, no caller can be identified', async (_, reply) => {
  const { keys, api } = await setUp()
  const key = signingKey('RS256', 'k1')
  if (reply === undefined) await keys.stop()
  else keys.answer(reply[0], reply[1])
  const answer = await ask(api, await key.sign())
  expectProblem(answer, 503, 'UNAVAILABLE', /keys/)
  expect(JSON.stringify(answer.body)).not.toContain(keys.url)
  if (reply === undefined) return
  keys.publish(key)
  expect((await ask(api, await key.sign())).status).toBe(200)
})

test('fetched keys stay valid while the key server is down', async () => {
  const { keys, api } = await setUp()
  const key = signingKey('RS256', 'k1')
  keys.publish(key)
  expect((await ask(api, await key.sign())).status).toBe(200)
  await keys.stop()
  for (let i = 0; i < 3; i++) expect((await ask(api, await key.sign())).status).toBe(200)
})

test('with public keys, a token signed with a shared secret is refused, also when that secret is a public key', async () => {
  const { keys, api } = await setUp()
  const key = signingKey('RS256', 'k1')
  keys.publish(key)
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const der = key.publicKey.export({ type: 'spki', format: 'der' })
  const jwk = JSON.stringify(key.publicKey.export({ format: 'jwk' }))
  const claims = { sub: 'eve', roles: ['ADMIN'], exp: Math.floor(Date.now() / 1000) + 3600 }
  for (const secret of [SECRET, pem, pem.trim(), jwk, der]) {
    for (const header of [{ alg: 'HS256' }, { alg: 'HS256', kid: 'k1' }]) {
      const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
      const token = await new SignJWT(claims).setProtectedHeader(header).sign(bytes)
      expectProblem(await ask(api, token), 401, 'UNAUTHENTICATED')
    }
  }
  const none = `${Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
  expectProblem(await ask(api, none), 401, 'UNAUTHENTICATED')
})

test('the key must be made for the algorithm that the token names', async () => {
  const { keys, api } = await setUp()
  const [rsa, ec] = [signingKey('RS256', 'same'), signingKey('ES256', 'other')]
  keys.publish(rsa, ec)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const claims = { sub: 'eve', roles: ['ADMIN'], exp: Math.floor(Date.now() / 1000) + 3600 }
  const mixed = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'same' }).sign(privateKey)
  expectProblem(await ask(api, mixed), 401, 'UNAUTHENTICATED')
  expect((await ask(api, await ec.sign())).status).toBe(200)
})

test('a token cannot send the server to a key set of its own', async () => {
  const { keys, api } = await setUp()
  const theirs = await openKeyServer()
  keys.publish(signingKey('ES256', 'k1'))
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  theirs.publish({ ...signingKey('ES256', 'k1'), publicKey: own.publicKey })
  const token = await new SignJWT({ sub: 'eve', roles: ['ADMIN'], exp: 9_999_999_999 })
    .setProtectedHeader({
      alg: 'ES256',
      kid: 'k1',
      jku: theirs.url,
      x5u: theirs.url,
      jwk: own.publicKey.export({ format: 'jwk' }),
    })
    .sign(own.privateKey)
  expectProblem(await ask(api, token), 401, 'UNAUTHENTICATED')
  expect(theirs.asked()).toBe(0)
})
