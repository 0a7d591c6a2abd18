import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSecretName, maskSecrets } from '../../src/application/shared/mask-secrets.ts'

/** A secret that cannot stand in a text by chance. */
const secret = (alphabet: string, minLength = 8) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength: 40 }).map(text => `Zq7${text}`)
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const plain = secret(`${LETTERS}_-`)
const wild = secret(`${LETTERS}!#$%&()*+,./:;<=>?@[]^_{|}~-`)
const spaced = secret(`${LETTERS} !#$%&()*+,./:;<=>?@[]^_{|}~'-`)
const quotes = secret(`${LETTERS}"\\' `)
const around = fc.string({ unit: fc.constantFrom(...'abc XYZ.,:;\n019()'), maxLength: 40 })

const named = fc.constantFrom(
  'password',
  'PGPASSWORD',
  'api_key',
  'apiKey',
  'client-secret',
  'accessToken',
  'pwd',
  'Token',
)

const forms: readonly (readonly [
  name: string,
  secret: fc.Arbitrary<string>,
  text: (s: string, n: string) => string,
])[] = [
  ['a connection string', wild, s => `postgres://jane:${s}@db.example.com:5432/bus`],
  ['a connection string in quotes', wild, s => `"esdb+discover://jane:${s}@db.example.com" refused`],
  ['a user alone in a URL', plain, s => `https://${s}@example.com/x`],
  ['name=value', wild, (s, n) => `host=db ${n}=${s} port=5432`],
  ['name: value', wild, (s, n) => `${n}: ${s}`],
  ['a quoted value', spaced, (s, n) => `${n}="${s}"`],
  ['a member of JSON', quotes, (s, n) => JSON.stringify({ id: 1, [n]: s, last: 2 })],
  ['JSON inside JSON', quotes, (s, n) => JSON.stringify({ body: JSON.stringify({ [n]: s, last: 2 }) })],
  ['a member of JSON that was cut off', spaced, (s, n) => `{"id":1,"${n}":"${s}`],
  ['a query of an address', plain, (s, n) => `GET /events?${n}=${s}&domain=pay`],
  ['an authorization header', spaced, s => `Authorization: Digest username="jane", response="${s}"`],
  ['an authorization header as JSON', plain, s => JSON.stringify({ headers: { authorization: `Bearer ${s}` } })],
  ['a bearer token alone', plain, s => `sent bearer ${s} to it`],
  ['basic credentials', secret(LETTERS), s => `sent Basic ${s}= to it`],
  ['a cookie', spaced, s => `set-cookie: session=${s}; Path=/`],
  ['a provider key', plain, s => `the key sk-${s} is not valid`],
  ['another provider key', secret(LETTERS, 20), s => `ghp_${s}`],
  ['a JSON web token', secret(`${LETTERS}_-`), s => `got eyJhbGciOiJIUzI1NiJ9.${s}.${s} here`],
  [
    'a private key',
    secret(`${LETTERS}+/=\n`),
    s => `-----BEGIN RSA PRIVATE KEY-----\n${s}\n-----END RSA PRIVATE KEY-----`,
  ],
]

describe('masking secrets', () => {
  test.each(forms)('%s is masked, whatever is around it', (_, secrets, text) => {
    fc.assert(
      fc.property(secrets, named, around, around, (hidden, name, before, after) => {
        const masked = maskSecrets(`${before} ${text(hidden, name)} ${after}`)
        // no piece of it either: its beginning, and every later part of eight characters
        expect(masked).not.toContain('Zq7')
        const encoded = JSON.stringify(hidden).slice(1, -1)
        for (let i = 0; i + 8 <= encoded.length; i++) expect(masked).not.toContain(encoded.slice(i, i + 8))
      }),
      { numRuns: 300 },
    )
  })

  test('masking twice gives the same as masking once', () => {
    const anything = fc.oneof(
      fc.string(),
      around,
      ...forms.map(([, secrets, text]) => fc.tuple(secrets, named).map(([s, n]) => text(s, n))),
    )
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 4 }), parts => {
        const once = maskSecrets(parts.join(' '))
        expect(maskSecrets(once)).toBe(once)
      }),
      { numRuns: 2000 },
    )
  })

  test('words, numbers, ids, addresses and paths do not change', () => {
    const harmless = fc.oneof(
      fc.uuid(),
      fc.integer().map(String),
      fc.webUrl({ validSchemes: ['http', 'https'] }),
      fc.constantFrom('the', 'card', 'was', 'declined', 'a@example.com', '/var/lib/x.json', 'CARD_DECLINED', '{"n":1}'),
    )
    fc.assert(
      fc.property(fc.array(harmless), words => {
        const text = words.filter(word => !/password|passwd|pwd|secret|token|key/i.test(word)).join(' ')
        fc.pre(!/:\/\/\S*@/.test(text))
        expect(maskSecrets(text)).toBe(text)
      }),
    )
  })

  test.each([
    ['eyJ'.repeat(100_000)],
    ['password'.repeat(40_000)],
    ['password:"'.repeat(30_000)],
    [`password:${' '.repeat(300_000)}`],
    ['a://'.repeat(80_000)],
    ['-----BEGIN PRIVATE KEY-----'.repeat(10_000)],
    ['authorization:\\"'.repeat(20_000)],
    ['\\'.repeat(300_000)],
    [`token="${'\\'.repeat(300_000)}`],
  ])('a hostile text takes time in proportion to its length: %#', text => {
    // anything worse than linear would outlast the test
    expect(maskSecrets(text).length).toBeLessThanOrEqual(text.length)
  })

  test('names of members with secrets are recognised', () => {
    for (const name of [
      'password',
      'dbPassword',
      'Authorization',
      'set-cookie',
      'x-api-key',
      'databaseUrl',
      'jwtSecret',
    ])
      expect(isSecretName(name)).toBe(true)
    for (const name of ['commandId', 'domain', 'tokens', 'keyboard', 'attempts', 'correlationId'])
      expect(isSecretName(name)).toBe(false)
  })
})
