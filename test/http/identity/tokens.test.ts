import { createHmac, generateKeyPairSync } from 'node:crypto'
import { type JWTPayload, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { createTestApi, SECRET, sharedTestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'

const shared = sharedTestApi()
const now = () => Math.floor(Date.now() / 1000)
const claims = () => ({ sub: 'jane@example.com', roles: ['ADMIN'], exp: now() + 3600 })
const key = (secret: string) => new TextEncoder().encode(secret)
const sign = (payload: object, secret = SECRET, alg = 'HS256') =>
  new SignJWT(payload as JWTPayload).setProtectedHeader({ alg }).sign(key(secret))

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const forge = (header: unknown, payload: unknown, signature = ''): string =>
  `${part(header)}.${part(payload)}.${signature}`
const hmac = (text: string, secret = SECRET) => createHmac('sha256', secret).update(text).digest('base64url')
/** Correctly signed, with any contents. */
const signedRaw = (header: unknown, payload: unknown): string => {
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${hmac(text)}`
}

const ask = (authorization: string | undefined, at = shared()) =>
  at.request('GET', '/commands', { headers: authorization === undefined ? {} : { authorization } })
const askWith = (token: string, at = shared()) => ask(`Bearer ${token}`, at)

test('a valid token is accepted, whatever the case of the scheme', async () => {
  const token = await sign(claims())
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) expect((await ask(`${scheme} ${token}`)).status).toBe(200)
})

describe('a header is refused that', () => {
  test.each([
    ['is not there', undefined],
    ['is empty', ''],
    ['names no token', 'Bearer'],
    ['is of another scheme', `Basic ${Buffer.from('jane:secret').toString('base64')}`],
    ['is of an unknown scheme', 'Token abc'],
    ['holds no JWT', 'Bearer abc'],
    ['holds one dot', 'Bearer a.b'],
    ['holds five parts, as an encrypted token does', 'Bearer a.b.c.d.e'],
    ['has characters that are not base64url', 'Bearer a+b.c/d.e='],
    ['holds only dots', 'Bearer ..'],
    ['is long', `Bearer ${'a'.repeat(4000)}.${'b'.repeat(4000)}.${'c'.repeat(4000)}`],
  ])('%s', async (_, header) => expectProblem(await ask(header), 401, 'UNAUTHENTICATED'))

  test('has two tokens', async () => {
    const token = await sign(claims())
    for (const header of [`Bearer ${token} ${token}`, `Bearer ${token},Bearer ${token}`]) {
      expectProblem(await ask(header), 401, 'UNAUTHENTICATED')
    }
  })
})

test('a token in the query or in a cookie does not count', async () => {
  const token = await sign(claims())
  expectProblem(await shared().request('GET', `/commands?access_token=${token}`), 401, 'UNAUTHENTICATED')
  const cookie = { cookie: `token=${token}; authorization=Bearer ${token}` }
  expectProblem(await shared().request('GET', '/commands', { headers: cookie }), 401, 'UNAUTHENTICATED')
})

describe('a token is refused', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const refused: readonly (readonly [why: string, token: () => string | Promise<string>])[] = [
    ['with alg none', () => forge({ alg: 'none' }, claims())],
    ['with alg None and a signature', () => forge({ alg: 'None' }, claims(), 'abc')],
    ['without a signature', () => forge({ alg: 'HS256' }, claims())],
    ['without an alg', () => signedRaw({ typ: 'JWT' }, claims())],
    ['signed with another secret', () => sign(claims(), 'another secret, long enough to sign with it')],
    [
      'signed with nothing',
      () => forge({ alg: 'HS256' }, claims(), createHmac('sha256', '').update('').digest('base64url')),
    ],
    ['signed by HS384 with the right secret', () => sign(claims(), SECRET, 'HS384')],
    ['signed by HS512 with the right secret', () => sign(claims(), SECRET.padEnd(64, '!'), 'HS512')],
    ['signed by RS256', () => new SignJWT(claims()).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)],
    ['signed with a public key as if it were a secret', () => sign(claims(), pem)],
    [
      'that brings its own key',
      () =>
        signedRaw({ alg: 'HS256', jwk: { kty: 'oct', k: part('x') }, kid: '../../dev/null' }, claims()).replace(
          /[^.]+$/,
          'AAAA',
        ),
    ],
    [
      'whose claims were changed after it was signed',
      async () => {
        const [header, , signature] = (await sign({ ...claims(), roles: ['USER'] })).split('.')
        return `${header}.${part(claims())}.${signature}`
      },
    ],
    [
      'whose header was changed after it was signed',
      async () => {
        const [, payload, signature] = (await sign(claims())).split('.')
        return `${part({ alg: 'HS256', typ: 'at+jwt' })}.${payload}.${signature}`
      },
    ],
    ['with an unknown critical extension', () => signedRaw({ alg: 'HS256', crit: ['x'], x: 1 }, claims())],
    ['whose payload is not encoded', () => signedRaw({ alg: 'HS256', crit: ['b64'], b64: false }, claims())],
    ['whose claims are a list', () => signedRaw({ alg: 'HS256' }, [claims()])],
    ['whose claims are null', () => signedRaw({ alg: 'HS256' }, 'null')],
    ['whose claims are not JSON', () => signedRaw({ alg: 'HS256' }, '{sub:')],
    [
      'whose claims are not UTF-8',
      () => {
        const text = `${part({ alg: 'HS256' })}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}`
        return `${text}.${hmac(text)}`
      },
    ],
  ]
  test.each(refused)('%s', async (_, token) => {
    const answer = await askWith(await token())
    expectProblem(answer, 401, 'UNAUTHENTICATED')
    expect(JSON.stringify(answer.body)).not.toContain(SECRET)
  })

  const absurd: readonly (readonly [why: string, claims: object, detail: RegExp])[] = [
    ['without sub', { sub: undefined }, /'sub'/],
    ['with a blank sub', { sub: '  ' }, /sub/],
    ['with an empty sub', { sub: '' }, /sub/],
    ['with a sub of 129 characters', { sub: 'x'.repeat(129) }, /sub/],
    ['with a number as sub', { sub: 5 }, /sub/],
    ['with null as sub', { sub: null }, /sub/],
    ['with a NUL in sub', { sub: 'a\u0000b' }, /sub/],
    ['with half a pair in sub', { sub: '\ud800' }, /sub/],
    ['with a list as sub', { sub: ['jane'] }, /sub/],
    ['with a blank tenant', { tenant: ' ' }, /tenant/],
    ['with an empty tenant', { tenant: '' }, /tenant/],
    ['with a number as tenant', { tenant: 1 }, /tenant/],
    ['with a list as tenant', { tenant: ['t1', 't2'] }, /tenant/],
    ['with an object as tenant', { tenant: { id: 't1' } }, /tenant/],
    ['with false as tenant', { tenant: false }, /tenant/],
    ['with a NUL in its tenant', { tenant: 't\u0000' }, /tenant/],
    ['with a tenant of 129 characters', { tenant: 't'.repeat(129) }, /tenant/],
    ['without roles', { roles: undefined }, /roles/],
    ['with roles as an object', { roles: { ADMIN: true, length: 1 } }, /roles/],
    ['without exp', { exp: undefined }, /'exp'/],
    ['with exp as text', { exp: '9999999999' }, /'exp'/],
    ['with exp as null', { exp: null }, /'exp'|token/],
    ['with nbf as text', { nbf: 'now' }, /'nbf'/],
    ['with iat as text', { iat: 'now' }, /'iat'/],
  ]
  test.each(absurd)('%s', async (_, changed, detail) => {
    expectProblem(
      await askWith(signedRaw({ alg: 'HS256' }, { ...claims(), ...changed })),
      401,
      'UNAUTHENTICATED',
      detail,
    )
  })
})

test('unusual but harmless members of a token are accepted', async () => {
  for (const changed of [
    { tenant: null },
    { roles: ['ADMIN', 5, null, 'root'] },
    { exp: 1e15 },
    { iat: 5e9, jti: 5 },
  ]) {
    expect([changed, (await askWith(signedRaw({ alg: 'HS256' }, { ...claims(), ...changed }))).status]).toEqual([
      changed,
      200,
    ])
  }
})

test('clocks may differ by five seconds at most', async () => {
  const statusOf = async (changed: object) => (await askWith(await sign({ ...claims(), ...changed }))).status
  expect(await statusOf({ exp: now() - 2 })).toBe(200)
  expect(await statusOf({ exp: now() - 6 })).toBe(401)
  expect(await statusOf({ nbf: now() + 4 })).toBe(200)
  expect(await statusOf({ nbf: now() + 9 })).toBe(401)
  const expired = await askWith(await sign({ ...claims(), exp: now() - 3600 }))
  expectProblem(expired, 401, 'UNAUTHENTICATED', /expired/)
})

test('issuer and audience are checked when they are configured', async () => {
  const api = await createTestApi({ identity: { secret: SECRET, issuer: 'https://id.example.com', audience: 'bus' } })
  const right = { iss: 'https://id.example.com', aud: 'bus' }
  const answerFor = async (changed: object) => askWith(await sign({ ...claims(), ...right, ...changed }), api)
  expect((await answerFor({})).status).toBe(200)
  expect((await answerFor({ aud: ['other', 'bus'] })).status).toBe(200)
  expectProblem(await answerFor({ iss: 'https://id.example.com/' }), 401, 'UNAUTHENTICATED', /'iss'/)
  expectProblem(await answerFor({ iss: undefined }), 401, 'UNAUTHENTICATED', /'iss'/)
  expectProblem(await answerFor({ aud: 'other' }), 401, 'UNAUTHENTICATED', /'aud'/)
  expectProblem(await answerFor({ aud: [] }), 401, 'UNAUTHENTICATED', /'aud'/)
  expectProblem(await answerFor({ aud: undefined }), 401, 'UNAUTHENTICATED', /'aud'/)
})

test('no answer and no log line ever shows a token or the secret', async () => {
  const api = await createTestApi()
  const token = await sign(claims(), 'another secret, long enough to sign with it')
  const answers = [await askWith(token, api), await askWith(await sign(claims()), api)]
  const said = JSON.stringify(answers.map(({ body, headers }) => [body, [...headers]])) + api.logged.join('')
  for (const hidden of [token.slice(-43), token.split('.')[1] ?? '', SECRET]) expect(said).not.toContain(hidden)
})
