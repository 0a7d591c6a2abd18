import fc from 'fast-check'
import { addressOf, allRoutes } from '../contract/table.ts'

export interface FuzzedRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
}

/** What the requests may name: existing ids, valid tokens. */
export interface World {
  readonly ids: readonly string[]
  readonly tokens: readonly string[]
}

const methods = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT']
const types = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=latin1',
  'application/JSON',
  'application/problem+json',
  'text/plain',
  'text/html',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
  'a',
  '/',
  ';',
]

/** Characters that a client can send in an address or a header, and special texts made of them. */
const wireText = (max: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.string({ maxLength: max }) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: max }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...[
          '%00',
          '%zz',
          '%ff',
          '%ed%a0%80',
          '..',
          '../../etc/passwd',
          "' or 1=1--",
          '"',
          '\\',
          '{}',
          '$1',
          '%',
          '%25s',
        ],
        ...[
          'NaN',
          'Infinity',
          '-0',
          '1e309',
          '9'.repeat(30),
          'null',
          'undefined',
          '__proto__',
          'constructor',
          '٣',
          '\u202e',
        ],
        ...[
          'x'.repeat(600),
          '0000-01-01',
          '9999-12-31T23:59:59.999Z',
          '2024-02-30',
          '-1',
          '0',
          '501',
          '1.5',
          '[object Object]',
        ],
      ),
    },
  )
const asHeader = (text: string): string => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').trim()
const asPath = (text: string): string =>
  text.replace(/[^\x21-\x7e]/g, character => encodeURIComponent(character.toWellFormed()))
const segment = wireText(40).map(text => asPath(text.replaceAll('/', '%2F').replaceAll('?', '%3F')))

const json = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      ...[
        null,
        '',
        ' ',
        '\u0000',
        '\ud800',
        -1,
        0,
        1.5,
        1e308,
        true,
        [],
        {},
        [[[]]],
        { toJSON: 1 },
        { length: 5 },
        'x'.repeat(2000),
      ],
    ),
  },
  { weight: 2, arbitrary: wireText(200) },
)

/** A valid body that is then changed: members changed, left out or added, or the text cut and repaired. */
const mutated = (body: object): fc.Arbitrary<string> => {
  const whole = JSON.stringify(body)
  const own = Object.keys(body)
  const name = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...own, ...(own.includes('commandType') ? ofCommands : ofActions)) },
    { weight: 1, arbitrary: fc.constantFrom(...strangeNames) },
  )
  const changed = fc.dictionary(name, json, { minKeys: 1, maxKeys: 2, noNullPrototype: true })
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(whole) },
    { weight: 8, arbitrary: changed.map(changes => JSON.stringify({ ...body, ...changes })) },
    { weight: 1, arbitrary: name.map(gone => JSON.stringify({ ...body, [gone]: undefined })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.nat(whole.length), fc.nat(3), fc.string({ maxLength: 4 }))
        .map(([at, cut, text]) => whole.slice(0, at) + text + whole.slice(at + cut)),
    },
    'commands' in body
      ? { weight: 6, arbitrary: mutated({ commandType: 'Charge', data: 1 }).map(text => `{"commands":[${text}]}`) }
      : { weight: 1, arbitrary: json.map(value => JSON.stringify([body, value])) },
  )
}
const ofCommands = ['commandId', 'replyTo', 'correlationId', 'causationId', 'maxAttempts', 'backoffSeconds']
const ofActions = ['data', 'reason', 'resetAttempts', 'resultData', 'session_id', 'message_id']
const strangeNames = ['operator', 'tenantId', 'ownerId', 'commands', 'hasOwnProperty', 'valueOf', 'toString', '', '0']

const bodyFor = (body: unknown): fc.Arbitrary<Buffer | null> =>
  fc.oneof(
    { weight: 6, arbitrary: mutated((body ?? {}) as object).map(text => Buffer.from(text)) },
    { weight: 2, arbitrary: json.map(value => Buffer.from(JSON.stringify(value) ?? '')) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('[', '{"a":', '"'), fc.nat(20_000))
        .map(([part, count]) => Buffer.from(part.repeat(count))),
    },
    { weight: 1, arbitrary: fc.constant(null) },
  )

const authorizationIn = ({ tokens }: World): fc.Arbitrary<string | undefined> =>
  fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...tokens).map(token => `Bearer ${token}`) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(...tokens), fc.nat(200), fc.string({ minLength: 1, maxLength: 2 }))
        .map(([token, at, text]) => asHeader(`Bearer ${token.slice(0, at)}${text}${token.slice(at + 1)}`)),
    },
    { weight: 1, arbitrary: wireText(60).map(text => asHeader(text)) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  )

const strangeHeaders: fc.Arbitrary<Record<string, string>> = fc.dictionary(
  fc.constantFrom(
    ...[
      'accept',
      'accept-encoding',
      'content-type',
      'cookie',
      'if-none-match',
      'origin',
      'range',
      'referer',
      'expect',
      'te',
    ],
    ...[
      'x-forwarded-for',
      'x-http-method-override',
      'x-request-id',
      'traceparent',
      'forwarded',
      'content-encoding',
      'accept-version',
    ],
  ),
  wireText(40).map(text => asHeader(text)),
  { maxKeys: 3 },
)

const queryOf = (names: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(
      fc.tuple(
        fc.oneof(names.length === 0 ? fc.constant('limit') : fc.constantFrom(...names), segment),
        fc.oneof(segment, fc.constantFrom('1', '500', 'PENDING', '2026-01-01', 'payments')),
      ),
      { maxLength: 3 },
    )
    .map(pairs => pairs.map(([name, value]) => `${name}=${value}`).join('&'))

/** Calls that depend on a command's status come more often; otherwise conflicts would be rare. */
const conflicting = allRoutes.filter(([id]) =>
  ['cancelCommand', 'retryCommand', 'operatorCancel', 'operatorComplete'].includes(id),
)
const drawnRoutes = [...allRoutes, ...conflicting, ...conflicting]

const known = (world: World): fc.Arbitrary<FuzzedRequest> =>
  fc.constantFrom(...drawnRoutes).chain(([, route]) =>
    fc
      .record({
        method: fc.oneof({ weight: 8, arbitrary: fc.constant(addressOf(route)[0]) }, fc.constantFrom(...methods)),
        id: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...world.ids) }, fc.uuid(), segment),
        domain: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('payments', 'a.b-c', 'shipping') }, segment),
        query: fc.oneof({ weight: 2, arbitrary: fc.constant('') }, queryOf(route.query)),
        type: fc.oneof({ weight: 8, arbitrary: fc.constant('application/json') }, fc.constantFrom(...types)),
        authorization: authorizationIn(world),
        headers: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, strangeHeaders),
        body: bodyFor(route.body),
      })
      .map(({ method, id, domain, query, type, authorization, headers, body }) => ({
        method,
        path: `/api/v1${addressOf(route, id, domain)[1]}${query === '' ? '' : `?${query}`}`,
        headers: {
          ...(body === null ? {} : { 'content-type': type }),
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: route.body === undefined && method === 'GET' ? null : body,
      })),
  )

const unknown = (world: World): fc.Arbitrary<FuzzedRequest> =>
  fc.record({
    method: fc.constantFrom(...methods),
    path: fc
      .array(fc.oneof(segment, fc.constantFrom('api', 'v1', 'commands', 'domains', 'docs', 'health', '', '.', '..')), {
        maxLength: 6,
      })
      .map(parts => `/${parts.join('/')}`),
    headers: fc.tuple(strangeHeaders, authorizationIn(world)).map(([headers, authorization]) => ({
      ...headers,
      ...(authorization === undefined ? {} : { authorization }),
    })),
    body: bodyFor({}),
  })

export const fuzzedRequest = (world: World): fc.Arbitrary<FuzzedRequest> =>
  fc.oneof({ weight: 9, arbitrary: known(world) }, { weight: 1, arbitrary: unknown(world) })
